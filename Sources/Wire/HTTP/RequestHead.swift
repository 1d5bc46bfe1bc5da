internal import Glibc

/// The head of a request, strictly checked, as places in the bytes it was read from.
///
/// What RFC 9112 leaves to the recipient's taste is refused here, because the server behind may have another
/// taste: that difference is what request smuggling is made of.
public struct RequestHead: Sendable {
    public let method: Range<Int>
    /// In origin form (RFC 9112, section 3.2.1), or `*`; an absolute form has lost its scheme and authority.
    public let target: Range<Int>
    /// Minor version of HTTP/1.
    public let minorVersion: Int
    public let fields: [HeaderField]
    public let framing: BodyFraming
    /// Whether the connection stays usable after this exchange.
    public let keepsAlive: Bool
    /// Whether the client waits for `100 Continue` before it sends the body.
    public let expectsContinue: Bool
    /// Whether the client asks for another protocol on this connection (RFC 9110, section 7.8).
    ///
    /// Another version of HTTP is ignored, as any server may: its requests would pass unread.
    public let isUpgrade: Bool
    /// Length of the head, its empty line included.
    public let byteCount: Int

    /// Reads a complete head.
    ///
    /// - Parameter head: the bytes up to and with the empty line, every line feed after a carriage return.
    /// - Complexity: O(*n*); one allocation, of the field list.
    public init(reading head: UnsafeRawBufferPointer) throws(HeadError) {
        try checkControlCharacters(head)
        let line = try RequestLine(reading: head)
        var read = try HeadFields(reading: head, from: line.end)
        read.markNominated(in: head)
        try Self.checkHost(of: read, line, in: head)
        guard line.minorVersion == 1 || !read.hasTransferEncoding else {
            throw .syntax("Transfer-Encoding in HTTP/1.0")
        }
        method = line.method
        target = line.target
        minorVersion = line.minorVersion
        fields = read.fields
        framing = read.isChunked ? .chunked : read.contentLength.map { $0 > 0 ? .length($0) : .none } ?? .none
        keepsAlive = line.minorVersion == 1 ? !read.saysClose : read.saysKeepAlive && !read.saysClose
        expectsContinue = line.minorVersion == 1 && Self.expectsContinue(read.fields, in: head)
        isUpgrade = line.minorVersion == 1 && read.saysUpgrade && Self.namesProtocol(read.fields, in: head)
        byteCount = head.count
    }

    /// The first field of a name.
    public func first(_ header: HeaderName) -> HeaderField? {
        fields.first { $0.header == header }
    }

    /// One `Host`, whose value can be no more than a name or an address and a port (RFC 9112, section 3.2).
    private static func checkHost(
        of read: HeadFields,
        _ line: RequestLine,
        in head: UnsafeRawBufferPointer
    ) throws(HeadError) {
        guard let host = read.fields.first(where: { $0.header == .host }) else {
            guard line.minorVersion == 0 else { throw .syntax("no Host header") }
            return
        }
        guard read.hosts == 1 else { throw .syntax("more than one Host header") }
        guard head.slice(host.value).isHostAndPort else { throw .syntax("a bad Host header") }
    }

    private static func namesProtocol(_ fields: [HeaderField], in head: UnsafeRawBufferPointer) -> Bool {
        let names = fields.filter { $0.header == .upgrade }.flatMap { field in
            head.slice(field.value).split(separator: 0x2C).map {
                UnsafeRawBufferPointer(rebasing: $0).trimmed
            }
        }
        return names.contains { !$0.isEmpty } && !names.contains(where: \.isVersionOfHTTP)
    }

    private static func expectsContinue(_ fields: [HeaderField], in head: UnsafeRawBufferPointer) -> Bool {
        fields.contains { $0.header == .expect && head.slice($0.value).equalsIgnoringCase("100-continue") }
    }
}

/// The request line (RFC 9112, section 3).
private struct RequestLine {
    let method: Range<Int>
    let target: Range<Int>
    let minorVersion: Int
    let end: Int

    init(reading head: UnsafeRawBufferPointer) throws(HeadError) {
        var position = 0
        while isToken(head[position]) { position += 1 }
        guard position > 0, head[position] == 0x20 else { throw .syntax("a bad request line") }
        method = 0..<position
        let start = position + 1
        position = start
        while head[position] > 0x20, head[position] != 0x7F { position += 1 }
        guard position > start, head[position] == 0x20 else { throw .syntax("a bad request line") }
        target = try Self.originForm(of: start..<position, in: head)
        let version = position + 1
        guard head.count >= version + 10, head.slice(version..<version + 7).isHTTP1 else {
            throw .syntax("a bad HTTP version")
        }
        let digit = head[version + 7]
        guard digit == 0x30 || digit == 0x31, head[version + 8] == 0x0D else {
            throw .syntax("a bad HTTP version")
        }
        minorVersion = Int(digit - 0x30)
        end = version + 10
    }

    /// The path and query of the target (RFC 9112, section 3.2).
    private static func originForm(
        of target: Range<Int>,
        in head: UnsafeRawBufferPointer
    ) throws(HeadError) -> Range<Int> {
        let text = head.slice(target)
        if text.contains(0x23) { throw .syntax("a fragment in the request target") }
        if text[0] == 0x2F {
            // CONNECT takes a host and port, and its answer would have no body (RFC 9110, section 9.3.6).
            let isConnect = head.slice(0..<target.lowerBound - 1).elementsEqual("CONNECT".utf8)
            if isConnect { throw .syntax("a CONNECT with a path") }
            return target
        }
        // `*` is the server as a whole, and only OPTIONS can ask about that.
        if text.count == 1, text[0] == 0x2A,
            head.slice(0..<target.lowerBound - 1).elementsEqual("OPTIONS".utf8)
        {
            return target
        }
        for scheme in ["http://", "https://"] as [StaticString] {
            let length = scheme.utf8CodeUnitCount
            guard text.count > length, text.slice(0..<length).equalsIgnoringCase(scheme) else { continue }
            // A query or a user before the first slash is where readers differ on what the path is.
            let slash = text.slice(length..<text.count).firstIndex { !isAuthority($0) } ?? text.count - length
            guard slash > 0, length + slash < text.count, text[length + slash] == 0x2F else { break }
            return (target.lowerBound + length + slash)..<target.upperBound
        }
        throw .syntax("a bad request target")
    }
}

/// Whether a byte may stand in a host and port (RFC 3986, section 3.2), a user's name left out.
private func isAuthority(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x22, 0x23, 0x2F, 0x3C, 0x3E...0x40, 0x5C, 0x5E, 0x60, 0x7B...0x7D: false
    default: byte > 0x20 && byte < 0x7F
    }
}

extension UnsafeRawBufferPointer {
    /// Whether this is a host, or an address in brackets, with at most one port behind it; empty is a host too.
    fileprivate var isHostAndPort: Bool {
        let isBracketed = first == 0x5B
        var end = isBracketed ? 1 : 0
        // In brackets colons are part of the address.
        while end < count, isAuthority(self[end]), isBracketed || self[end] != 0x3A {
            if self[end] == 0x5B { return false }
            if self[end] == 0x5D { break }
            end += 1
        }
        if isBracketed {
            guard end < count, self[end] == 0x5D else { return false }
            end += 1
        }
        guard end < count else { return true }
        guard self[end] == 0x3A else { return false }
        return self[(end + 1)...].allSatisfy { $0 &- 0x30 < 10 }
    }

    /// Whether a protocol of `Upgrade` is HTTP: `h2c`, `HTTP/2.0`.
    fileprivate var isVersionOfHTTP: Bool {
        slice(0..<Swift.min(count, 4)).equalsIgnoringCase("http")
            || slice(0..<Swift.min(count, 2)).equalsIgnoringCase("h2")
    }

    /// Whether the bytes begin a version of HTTP/1; unlike most of HTTP its name has one spelling (section 2.3).
    var isHTTP1: Bool { elementsEqual("HTTP/1.".utf8) }
}
