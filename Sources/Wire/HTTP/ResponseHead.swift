/// The head of an upstream's response, as places in the bytes it was read from.
public struct ResponseHead: Sendable {
    public let status: Int
    public let fields: [HeaderField]
    public let framing: BodyFraming
    /// Whether the upstream connection may carry another request afterwards.
    public let keepsAlive: Bool
    /// Length of the head, its empty line included.
    public let byteCount: Int

    /// Whether this only announces the real response (RFC 9110, section 15.2); 101 is final.
    public var isInterim: Bool { status < 200 && status != 101 }

    /// Reads a complete head.
    ///
    /// - Parameters:
    ///   - head: the bytes up to and with the empty line.
    ///   - isHead: whether it answers a HEAD request, so that no body follows.
    public init(reading head: UnsafeRawBufferPointer, toHEAD isHead: Bool) throws(HeadError) {
        try checkControlCharacters(head)
        guard head.count >= 15, head.slice(0..<7).isHTTP1,
            head[7] == 0x30 || head[7] == 0x31, head[8] == 0x20
        else { throw .syntax("a bad status line") }
        var status = 0
        for byte in head[9..<12] {
            guard byte &- 0x30 < 10 else { throw .syntax("a bad status code") }
            status = status * 10 + Int(byte - 0x30)
        }
        // The reason phrase may be empty, and some servers leave out the space before it.
        guard status >= 100, head[12] == 0x20 || head[12] == 0x0D,
            let lineFeed = head[12...].firstIndex(of: 0x0A)
        else { throw .syntax("a bad status code") }
        var read = try HeadFields(reading: head, from: lineFeed + 1)
        read.markNominated(in: head)
        self.status = status
        fields = read.fields
        let isModern = head[7] == 0x31
        if isHead || status < 200 || status == 204 || status == 304 {
            framing = .none
        } else if read.isChunked {
            framing = .chunked
        } else {
            framing = read.contentLength.map { $0 > 0 ? .length($0) : .none } ?? .untilClose
        }
        // Chunks in HTTP/1.0 are a faulty framing, after which nothing can be trusted (RFC 9112, section 6.1).
        let isFaulty = !isModern && read.hasTransferEncoding
        keepsAlive =
            framing != .untilClose && !read.saysClose && !isFaulty && (isModern || read.saysKeepAlive)
        byteCount = head.count
    }

    /// The first field of a name.
    public func first(_ header: HeaderName) -> HeaderField? {
        fields.first { $0.header == header }
    }
}
