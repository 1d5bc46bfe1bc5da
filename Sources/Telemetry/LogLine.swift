/// Writes one JSON object a line, field after field, at the end of a buffer.
///
/// Every input gives valid JSON: control characters, quotes and backslashes are escaped, invalid UTF-8 cannot
/// occur in a Swift string. The room is asked for once a line: appending to an array checks its capacity and its
/// owner every time, which for the fifty short pieces of a line costs more than the pieces.
public struct LogLine: ~Copyable {
    /// Room for names, numbers and punctuation of a line with every field.
    private static let roomForFields = 2048
    /// A byte of a text takes up to six as an escape.
    private static let longestEscape = 6

    private let room: UnsafeMutableBufferPointer<UInt8>
    private var count = 0
    private var isFirst = true

    private init(room: UnsafeMutableBufferPointer<UInt8>) {
        self.room = room
    }

    /// Appends one line to `buffer`.
    ///
    /// - Parameters:
    ///   - textBytes: at least the UTF-8 length of all texts that `write` adds together; a line that is longer traps.
    ///   - write: adds the fields.
    public static func append(
        to buffer: inout [UInt8],
        textBytes: Int,
        _ write: (inout LogLine) -> Void
    ) {
        let capacity = roomForFields + longestEscape * textBytes
        buffer.append(addingCapacity: capacity) { output in
            output.withUnsafeMutableBufferPointer { room, initialized in
                var line = LogLine(room: UnsafeMutableBufferPointer(rebasing: room[initialized...]))
                line.put(0x7B)
                write(&line)
                line.put(0x7D)
                line.put(0x0A)
                initialized += line.count
            }
        }
    }

    public mutating func add(_ key: StaticString, _ value: String) {
        name(key)
        put(0x22)
        put(escaping: value)
        put(0x22)
    }

    public mutating func add(_ key: StaticString, _ value: StaticString) {
        name(key)
        put(0x22)
        put(value)
        put(0x22)
    }

    /// Adds a number as 16 hexadecimal digits.
    public mutating func add(_ key: StaticString, hexadecimal value: UInt64) {
        name(key)
        put(0x22)
        for place in 0..<16 {
            put(hexadecimalDigit(UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * place)) & 15))
        }
        put(0x22)
    }

    public mutating func add(_ key: StaticString, _ value: Int) {
        name(key)
        put(number: value)
    }

    public mutating func add(_ key: StaticString, _ value: Bool) {
        name(key)
        put(value ? "true" : "false" as StaticString)
    }

    /// Adds a time in milliseconds with three decimals.
    public mutating func add(_ key: StaticString, milliseconds nanoseconds: Int64) {
        name(key)
        let microseconds = Int(max(0, nanoseconds) / 1000)
        put(number: microseconds / 1000)
        put(0x2E)
        put(digits: microseconds.magnitude, count: 3)
    }

    /// Adds an instant in UTC, as RFC 3339 with milliseconds.
    public mutating func add(_ key: StaticString, _ time: UTCTime) {
        name(key)
        put(0x22)
        put(digits: time.year, count: 4, then: 0x2D)
        put(digits: time.month, count: 2, then: 0x2D)
        put(digits: time.day, count: 2, then: 0x54)
        put(digits: time.hour, count: 2, then: 0x3A)
        put(digits: time.minute, count: 2, then: 0x3A)
        put(digits: time.second, count: 2, then: 0x2E)
        put(digits: time.millisecond, count: 3, then: 0x5A)
        put(0x22)
    }

    /// Adds an array of texts, each of three parts that are joined.
    public mutating func add(
        _ key: StaticString,
        count: Int,
        _ parts: (Int) -> (String, StaticString, String)
    ) {
        name(key)
        put(0x5B)
        for place in 0..<count {
            if place > 0 { put(0x2C) }
            let (first, between, last) = parts(place)
            put(0x22)
            put(escaping: first)
            put(between)
            put(escaping: last)
            put(0x22)
        }
        put(0x5D)
    }

    /// Adds an object of numbers.
    public mutating func add(_ key: StaticString, _ values: [(name: StaticString, value: Int)]) {
        name(key)
        put(0x7B)
        isFirst = true
        for (name, value) in values { add(name, value) }
        isFirst = false
        put(0x7D)
    }

    private mutating func name(_ key: StaticString) {
        if !isFirst { put(0x2C) }
        isFirst = false
        put(0x22)
        put(key)
        put(0x22)
        put(0x3A)
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        precondition(count < room.count, "a log line is longer than its room")
        room[count] = byte
        count += 1
    }

    private mutating func put(_ text: StaticString) {
        put(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func put(_ bytes: UnsafeBufferPointer<UInt8>) {
        precondition(count + bytes.count <= room.count, "a log line is longer than its room")
        _ = UnsafeMutableBufferPointer(rebasing: room[count...]).update(fromContentsOf: bytes)
        count += bytes.count
    }

    private mutating func put(number: Int) {
        if number < 0 { put(0x2D) }
        var length = 1
        var rest = number.magnitude
        while rest >= 10 {
            rest /= 10
            length += 1
        }
        put(digits: number.magnitude, count: length)
    }

    private mutating func put(digits number: Int, count: Int, then mark: UInt8) {
        put(digits: number.magnitude, count: count)
        put(mark)
    }

    /// Puts the last digits of a number, with leading zeros.
    ///
    /// From the last on: a division by a constant is a multiplication.
    private mutating func put(digits number: UInt, count length: Int) {
        precondition(count + length <= room.count, "a log line is longer than its room")
        var rest = number
        for place in (count..<count + length).reversed() {
            room[place] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
            rest /= 10
        }
        count += length
    }

    /// Puts text with everything escaped that JSON does not allow in a string (RFC 8259, section 7).
    private mutating func put(escaping text: String) {
        let isPlain = text.utf8.withContiguousStorageIfAvailable { utf8 in
            guard isPlainText(UnsafeRawBufferPointer(utf8)) else { return false }
            put(utf8)
            return true
        }
        if isPlain != true { for byte in text.utf8 { put(escaping: byte) } }
    }

    private mutating func put(escaping byte: UInt8) {
        switch byte {
        case 0x22, 0x5C:
            put(0x5C)
            put(byte)
        case 0..<0x20, 0x7F:
            put("\\u00")
            put(hexadecimalDigit(byte >> 4))
            put(hexadecimalDigit(byte & 15))
        default:
            put(byte)
        }
    }
}

/// Whether a JSON string can hold the text as it is.
///
/// Eight bytes at a time, after "Bit Twiddling Hacks" by Sean Eron Anderson ("Determine if a word has a zero
/// byte" and "… a byte less than n"); both may take a byte above 0x7F for one to look at, never the reverse.
private func isPlainText(_ text: UnsafeRawBufferPointer) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    var index = 0
    while index + 8 <= text.count {
        let word = text.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        let below = (word &- ones &* 0x20) & ~word
        let quotes = word ^ (ones &* 0x22)
        let backslashes = word ^ (ones &* 0x5C)
        let deletes = word ^ (ones &* 0x7F)
        let special =
            below | ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes)
            | ((deletes &- ones) & ~deletes)
        if special & (ones &* 0x80) != 0, !text[index..<index + 8].allSatisfy(isPlain) { return false }
        index += 8
    }
    return text[index...].allSatisfy(isPlain)
}

private func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte != 0x22 && byte != 0x5C && byte != 0x7F
}

private func hexadecimalDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? 0x30 + nibble : 0x57 + nibble
}
