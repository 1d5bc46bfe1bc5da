/// The head of a `CONNECT` request (RFC 9110, section 9.3.6), strictly checked, as places in the bytes it was read from.
public struct ConnectHead: Sendable {
    /// Host and port, as they were written.
    public let authority: Range<Int>
    public let fields: [HeaderField]
    /// Length of the head, its empty line included.
    public let byteCount: Int

    /// The method with the space behind it; nothing else may begin such a head.
    public static let prefix: StaticString = "CONNECT "

    /// Reads a complete head.
    ///
    /// - Parameter head: the bytes up to and with the empty line, every line feed after a carriage return.
    public init(reading head: UnsafeRawBufferPointer) throws(HeadError) {
        try checkControlCharacters(head)
        let start = Self.prefix.utf8CodeUnitCount
        guard head.count > start, head.slice(0..<start).equals(Self.prefix) else {
            throw .syntax("a bad request line")
        }
        var end = start
        while head[end] > 0x20, head[end] != 0x7F { end += 1 }
        guard end > start, head[end] == 0x20, head.count >= end + 11,
            head.slice(end + 1..<end + 8).isHTTP1, head[end + 8] == 0x30 || head[end + 8] == 0x31,
            head[end + 9] == 0x0D
        else { throw .syntax("a bad request line") }
        let read = try HeadFields(reading: head, from: end + 11)
        guard read.hosts <= 1 else { throw .syntax("more than one Host header") }
        // A body has no meaning here, and whoever skips it sends it to the destination.
        guard !read.hasTransferEncoding, (read.contentLength ?? 0) == 0 else {
            throw .syntax("a body in a CONNECT request")
        }
        authority = start..<end
        fields = read.fields
        byteCount = head.count
    }

    /// The value of the first field of a name, in lower case.
    public func value(of name: StaticString, in head: UnsafeRawBufferPointer) -> String? {
        fields.first { head.slice($0.name).equalsIgnoringCase(name) }
            .map { String(decoding: head.slice($0.value), as: UTF8.self) }
    }
}
