/// Writes Protocol Buffers messages into a given room; it cannot read any.
///
/// Wire format: <https://protobuf.dev/programming-guides/encoding/>. Every length is known before it is written or
/// put in its shortest form afterwards, so that the bytes are those of any other encoder that keeps the order.
struct ProtobufWriter: ~Copyable {
    /// The largest number of bytes of a varint.
    static let longestVarint = 10

    private let room: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(room: UnsafeMutableBufferPointer<UInt8>) {
        self.room = room
    }

    /// Bytes that can still be written.
    var free: Int { room.count - count }

    /// The bytes that a varint takes.
    static func byteCount(ofVarint value: UInt64) -> Int {
        // Seven bits a byte; zero takes one byte too.
        (64 - (value | 1).leadingZeroBitCount + 6) / 7
    }

    /// The bytes that a text or a message of `count` bytes takes with its length, its tag left out.
    static func byteCount(ofLengthAnd count: Int) -> Int {
        byteCount(ofVarint: UInt64(count)) + count
    }

    mutating func put(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            put(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        put(byte: UInt8(truncatingIfNeeded: rest))
    }

    /// Puts the number and the type of a field.
    mutating func put(field: Int, _ type: WireType) {
        put(varint: UInt64(field << 3) | UInt64(type.rawValue))
    }

    mutating func put(field: Int, varint value: UInt64) {
        put(field: field, .varint)
        put(varint: value)
    }

    mutating func put(field: Int, fixed64 value: UInt64) {
        put(field: field, .fixed64)
        for place in 0..<8 { put(byte: UInt8(truncatingIfNeeded: value >> UInt64(8 * place))) }
    }

    mutating func put(field: Int, fixed32 value: UInt32) {
        put(field: field, .fixed32)
        for place in 0..<4 { put(byte: UInt8(truncatingIfNeeded: value >> UInt32(8 * place))) }
    }

    mutating func put(field: Int, _ text: UnsafeBufferPointer<UInt8>) {
        put(field: field, .bytes)
        put(varint: UInt64(text.count))
        put(text)
    }

    /// Puts words as bytes, the highest first, as trace and span ids are written.
    mutating func put(field: Int, bigEndian words: UInt64...) {
        put(field: field, .bytes)
        put(varint: UInt64(8 * words.count))
        for word in words {
            for place in 0..<8 { put(byte: UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * place))) }
        }
    }

    mutating func put(_ bytes: UnsafeBufferPointer<UInt8>) {
        precondition(bytes.count <= free, "a message is longer than its room")
        _ = UnsafeMutableBufferPointer(rebasing: room[count...]).update(fromContentsOf: bytes)
        count += bytes.count
    }

    /// Begins a message whose length is not known yet.
    ///
    /// - Returns: what ``endMessage(_:)`` asks for.
    mutating func beginMessage(field: Int) -> Int {
        put(field: field, .bytes)
        // Most spans are 128...16,383 bytes long: then nothing has to be moved.
        put(byte: 0)
        put(byte: 0)
        return count
    }

    /// Ends a message and puts its length before it.
    ///
    /// - Complexity: O(*n*) in its length, if that is below 128 or above 16,383; else O(1).
    mutating func endMessage(_ start: Int) {
        let length = count - start
        let shift = Self.byteCount(ofVarint: UInt64(length)) - 2
        if shift != 0 {
            precondition(shift <= free, "a message is longer than its room")
            let content = UnsafeMutableRawBufferPointer(room)
            let moved = UnsafeMutableRawBufferPointer(rebasing: content[(start + shift)...])
            moved.copyMemory(from: UnsafeRawBufferPointer(rebasing: content[start..<count]))
        }
        count = start - 2
        put(varint: UInt64(length))
        count += length
    }

    @inline(__always)
    private mutating func put(byte: UInt8) {
        precondition(count < room.count, "a message is longer than its room")
        room[count] = byte
        count += 1
    }

    /// How the value of a field is written.
    enum WireType: UInt8 {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case fixed32 = 5
    }
}
