internal import NIOCore

/// Holds back the chunk that is not complete yet, so that a stream that is cut can still be ended properly.
///
/// Between chunks the relay may put an error event of its own; within one it could only break the connection off.
/// A chunk larger than ``maxHeldBytes`` is passed on as it comes.
struct WholeChunks {
    static let maxHeldBytes = 65_536

    private var tail = ByteBuffer()
    /// Whether nothing is open in what was passed on, and it ends with an empty line.
    private(set) var endsAtEvent = true

    /// Takes what arrived next.
    ///
    /// - Parameters:
    ///   - bytes: with chunk framing.
    ///   - lastChunkEnd: where in `bytes` the newest complete chunk ends; 0 when none ends there.
    ///   - write: called with what can be passed on, in order.
    mutating func take(_ bytes: ByteBuffer, lastChunkEnd: Int, write: (ByteBuffer) -> Void) {
        var rest = bytes
        if lastChunkEnd > 0, let whole = rest.readSlice(length: lastChunkEnd) {
            endsAtEvent = Self.endsWithEmptyLine(tail, whole)
            if tail.readableBytes > 0 { write(tail) }
            write(whole)
            // An empty slice would keep the whole receive buffer alive.
            tail = rest.readableBytes > 0 ? rest : ByteBuffer()
            return
        }
        if tail.readableBytes == 0 { tail = rest } else { tail.writeImmutableBuffer(rest) }
        guard tail.readableBytes > Self.maxHeldBytes else { return }
        write(tail)
        tail = ByteBuffer()
        endsAtEvent = false
    }

    /// What is held back; at the proper end of a body that is the last chunk.
    mutating func takeTail() -> ByteBuffer {
        let taken = tail
        tail = ByteBuffer()
        return taken
    }

    /// Whether the data of the last chunk ends with an empty line, told from its last bytes.
    ///
    /// The line end of the chunk's own size must not be taken for one of its data: in doubt the answer is no.
    private static func endsWithEmptyLine(_ tail: ByteBuffer, _ whole: ByteBuffer) -> Bool {
        var recent: UInt64 = 0
        if whole.readableBytes < 8 {
            for byte in tail.readableBytesView.suffix(8) { recent = recent << 8 | UInt64(byte) }
        }
        for byte in whole.readableBytesView.suffix(8) { recent = recent << 8 | UInt64(byte) }
        // Behind the data stands the chunk's line end.
        let data = recent >> 16
        if data & 0xFFFF == 0x0A0A { return data >> 16 & 0xFF != 0x0D }
        let mayBeSizeOfTwo = data >> 32 & 0xFF == 0x32 && [0x00, 0x0A, 0x30].contains(data >> 40 & 0xFF)
        return data & 0xFFFF_FFFF == 0x0D0A_0D0A && !mayBeSizeOfTwo
    }
}
