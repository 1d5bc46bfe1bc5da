internal import NIOCore
internal import Wire

/// Takes request heads off the front of what a client has sent.
///
/// Pure: bytes in, a checked head or the reason for refusing it out.
struct HeadReader {
    enum Progress {
        /// More bytes are needed; with none so far the connection is merely idle.
        case incomplete
        case head(RequestHead, ByteBuffer)
        case refused(SidecarError)
    }

    private var finder = HeadFinder()

    /// Reads on.
    ///
    /// - Parameters:
    ///   - input: everything received since the last head and its body; a complete head is taken off.
    ///   - maxBytes: the longest head that is accepted.
    mutating func read(_ input: inout ByteBuffer, maxBytes: Int) -> Progress {
        guard skipsLeadingLine(of: &input) else { return .incomplete }
        switch input.withUnsafeReadableBytes({ finder.advance(over: $0) }) {
        case .incomplete:
            return input.readableBytes > maxBytes
                ? .refused(.headTooLarge(limitBytes: maxBytes)) : .incomplete
        case .bareLineFeed:
            return .refused(.badRequest("a line feed without a carriage return"))
        case .complete(let end):
            guard end <= maxBytes else { return .refused(.headTooLarge(limitBytes: maxBytes)) }
            finder = HeadFinder()
            return checked(input.readSlice(length: end) ?? ByteBuffer())
        }
    }

    /// Drops the empty line that some clients send after a body (RFC 9112, section 2.2).
    ///
    /// - Returns: false while it cannot be told whether there is one.
    private func skipsLeadingLine(of input: inout ByteBuffer) -> Bool {
        guard input.getInteger(at: input.readerIndex, as: UInt8.self) == 0x0D else { return true }
        guard let pair = input.getInteger(at: input.readerIndex, as: UInt16.self) else { return false }
        if pair == 0x0D0A { input.moveReaderIndex(forwardBy: 2) }
        return true
    }

    private func checked(_ bytes: ByteBuffer) -> Progress {
        do throws(HeadError) {
            let head = try bytes.withUnsafeReadableBytes { raw throws(HeadError) in
                try RequestHead(reading: raw)
            }
            return .head(head, bytes)
        } catch {
            switch error {
            case .syntax(let detail): return .refused(.badRequest(detail.description))
            case .unknownTransferCoding: return .refused(.unknownTransferCoding)
            }
        }
    }
}
