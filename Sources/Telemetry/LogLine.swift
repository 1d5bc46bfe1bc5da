/// Writes one JSON object a line, field after field, into a buffer that is used again.
///
/// Every input gives valid JSON: control characters, quotes and backslashes are escaped, invalid UTF-8 cannot
/// occur in a Swift string.
public struct LogLine {
    public private(set) var bytes: [UInt8]
    private var isFirst = true

    /// Starts a line in `buffer`, whose contents are kept.
    public init(in buffer: consuming [UInt8] = []) {
        bytes = buffer
        bytes.append(0x7B)
    }

    /// Ends the line and gives the buffer back.
    public consuming func finished() -> [UInt8] {
        bytes.append(0x7D)
        bytes.append(0x0A)
        return bytes
    }

    public mutating func add(_ key: StaticString, _ value: String) {
        name(key)
        quote(value)
    }

    public mutating func add(_ key: StaticString, _ value: StaticString) {
        name(key)
        bytes.append(0x22)
        append(value)
        bytes.append(0x22)
    }

    public mutating func add(_ key: StaticString, _ value: Int) {
        name(key)
        integer(value)
    }

    public mutating func add(_ key: StaticString, _ value: Bool) {
        name(key)
        bytes.append(contentsOf: value ? "true".utf8 : "false".utf8)
    }

    /// Adds a time in milliseconds with three decimals.
    public mutating func add(_ key: StaticString, milliseconds nanoseconds: Int64) {
        name(key)
        let microseconds = Int(max(0, nanoseconds) / 1000)
        integer(microseconds / 1000)
        let rest = microseconds % 1000
        bytes.append(0x2E)
        bytes.append(UInt8(0x30 + rest / 100))
        bytes.append(UInt8(0x30 + rest / 10 % 10))
        bytes.append(UInt8(0x30 + rest % 10))
    }

    /// Adds an array of texts, each of three parts that are joined.
    public mutating func add<Element>(
        _ key: StaticString,
        _ elements: [Element],
        as parts: (Element) -> (String, StaticString, String)
    ) {
        name(key)
        bytes.append(0x5B)
        for (place, element) in elements.enumerated() {
            if place > 0 { bytes.append(0x2C) }
            let (first, between, last) = parts(element)
            bytes.append(0x22)
            append(first)
            append(between)
            append(last)
            bytes.append(0x22)
        }
        bytes.append(0x5D)
    }

    /// Adds an object of numbers.
    public mutating func add(_ key: StaticString, _ values: [(name: StaticString, value: Int)]) {
        name(key)
        bytes.append(0x7B)
        let outer = isFirst
        isFirst = true
        for (name, value) in values { add(name, value) }
        isFirst = outer
        bytes.append(0x7D)
    }

    private mutating func name(_ key: StaticString) {
        if !isFirst { bytes.append(0x2C) }
        isFirst = false
        bytes.append(0x22)
        append(key)
        bytes.append(0x22)
        bytes.append(0x3A)
    }

    private mutating func integer(_ value: Int) {
        if value < 0 { bytes.append(0x2D) }
        var rest = value.magnitude
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { digits in
            var place = digits.count
            repeat {
                place -= 1
                digits[place] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
                rest /= 10
            } while rest > 0
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[place...]))
        }
    }

    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func quote(_ text: String) {
        bytes.append(0x22)
        append(text)
        bytes.append(0x22)
    }

    /// Adds text with everything escaped that JSON does not allow in a string.
    private mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            if utf8.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C || $0 == 0x7F }) {
                for byte in utf8 { appendEscaped(byte) }
            } else {
                bytes.append(contentsOf: utf8)
            }
        }
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        switch byte {
        case 0x22, 0x5C:
            bytes.append(0x5C)
            bytes.append(byte)
        case 0..<0x20, 0x7F:
            let hexadecimal = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(hexadecimal[Int(byte >> 4)])
            bytes.append(hexadecimal[Int(byte & 15)])
        default:
            bytes.append(byte)
        }
    }
}
