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

    @inline(__always)
    mutating func put(varint value: UInt64) {
        // Nearly all tags and lengths.
        if value < 0x80 { return put(byte: UInt8(truncatingIfNeeded: value)) }
        var rest = value
        while rest >= 0x80 {
            put(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        put(byte: UInt8(truncatingIfNeeded: rest))
    }

    /// Puts the number and the type of a field.
    @inline(__always)
    mutating func put(field: Int, _ type: WireType) {
        put(varint: UInt64(field << 3) | UInt64(type.rawValue))
    }

    mutating func put(field: Int, varint value: UInt64) {
        put(field: field, .varint)
        put(varint: value)
    }

    mutating func put(field: Int, fixed64 value: UInt64) {
        put(field: field, .fixed64)
        put(bytesOf: value.littleEndian)
    }

    mutating func put(field: Int, fixed32 value: UInt32) {
        put(field: field, .fixed32)
        put(bytesOf: value.littleEndian)
    }

    @inline(__always)
    mutating func put(field: Int, _ text: UnsafeBufferPointer<UInt8>) {
        put(field: field, .bytes)
        put(varint: UInt64(text.count))
        put(text)
    }

    /// Puts an id of 64 bits as bytes, the highest first.
    mutating func put(field: Int, bigEndian word: UInt64) {
        put(field: field, .bytes)
        put(varint: 8)
        put(bytesOf: word.bigEndian)
    }

    /// Puts an id of 128 bits as bytes, the highest first.
    mutating func put(field: Int, bigEndian high: UInt64, _ low: UInt64) {
        put(field: field, .bytes)
        put(varint: 16)
        put(bytesOf: high.bigEndian)
        put(bytesOf: low.bigEndian)
    }

    /// Puts the bytes of a number as they lie in memory.
    @inline(__always)
    private mutating func put<Number: FixedWidthInteger>(bytesOf number: Number) {
        let size = MemoryLayout<Number>.size
        precondition(size <= free, "a message is longer than its room")
        UnsafeMutableRawBufferPointer(room).storeBytes(of: number, toByteOffset: count, as: Number.self)
        count += size
    }

    @inline(__always)
    mutating func put(_ bytes: UnsafeBufferPointer<UInt8>) {
        precondition(bytes.count <= free, "a message is longer than its room")
        guard let source = bytes.baseAddress, let start = room.baseAddress else { return }
        (start + count).update(from: source, count: bytes.count)
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
