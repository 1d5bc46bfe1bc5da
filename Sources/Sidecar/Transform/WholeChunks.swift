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
            if tail.readableBytes > 0 { write(tail) }
            write(whole)
            tail = rest
            endsAtEvent = whole.endsWithEmptyLine
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
}

extension ByteBuffer {
    /// Whether the last chunk's data ends with an empty line; the two bytes behind it are the chunk's own line end.
    fileprivate var endsWithEmptyLine: Bool {
        withUnsafeReadableBytes { raw in
            guard raw.count >= 5 else { return false }
            let end = raw.count - 2
            guard raw[end - 1] == 0x0A else { return false }
            return raw[end - 2] == 0x0A || (raw[end - 2] == 0x0D && raw[end - 3] == 0x0A)
        }
    }
}
