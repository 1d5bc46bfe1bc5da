internal import NIOCore

/// Writes a message head straight into a buffer.
///
/// `ByteBuffer` checks uniqueness and capacity at every write, which for the twenty short writes of a head costs
/// more than the bytes; here the room is asked for once.
struct HeadWriter: ~Copyable {
    private let room: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    private init(room: UnsafeMutableRawBufferPointer) {
        self.room = room
    }

    /// Makes a buffer and lets `write` fill its start.
    ///
    /// - Parameters:
    ///   - capacity: at least what `write` puts; more than that traps.
    ///   - roomBehind: bytes that the caller appends.
    static func buffer(
        capacity: Int,
        roomBehind: Int = 0,
        _ write: (inout HeadWriter) -> Void
    ) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: capacity + roomBehind)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { room in
            var writer = HeadWriter(room: room)
            write(&writer)
            return writer.count
        }
        return buffer
    }

    @inline(__always)
    mutating func put(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        precondition(count + bytes.count <= room.count, "a head is longer than its room")
        (room.baseAddress.unsafelyUnwrapped + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    @inline(__always)
    mutating func put(_ text: StaticString) {
        put(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func put(_ text: String) {
        let isPut: Void? = text.utf8.withContiguousStorageIfAvailable { put(UnsafeRawBufferPointer($0)) }
        // Only a string that was bridged from elsewhere is stored in another way.
        if isPut == nil { for byte in text.utf8 { put(byte: byte) } }
    }

    mutating func put(byte: UInt8) {
        precondition(count < room.count, "a head is longer than its room")
        room[count] = byte
        count += 1
    }

    mutating func put(number: Int) {
        var divisor = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            put(byte: UInt8(truncatingIfNeeded: 0x30 + number / divisor % 10))
            divisor /= 10
        }
    }

    /// Puts what was put before once more.
    mutating func putAgain(_ range: Range<Int>) {
        put(UnsafeRawBufferPointer(rebasing: room[range]))
    }

    /// Puts text that may hold anything; what is not visible ASCII becomes `?`.
    ///
    /// Model names come out of a request body: without this a client could write headers of its own.
    mutating func put(untrusted text: String) {
        let start = count
        put(text)
        for place in start..<count where room[place] < 0x20 || room[place] >= 0x7F { room[place] = 0x3F }
    }
}
