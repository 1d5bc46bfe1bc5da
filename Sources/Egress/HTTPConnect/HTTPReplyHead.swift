/// The head of an answer to a CONNECT or an upgrade: a status and fields, read strictly.
struct HTTPReplyHead: Equatable {
    let status: Int
    /// Names in lower case, values without surrounding white space, in the order received.
    let fields: [(name: String, value: String)]
    /// Its empty line included.
    let byteCount: Int

    static func == (a: HTTPReplyHead, b: HTTPReplyHead) -> Bool {
        a.status == b.status && a.byteCount == b.byteCount
            && a.fields.elementsEqual(b.fields) { $0.name == $1.name && $0.value == $1.value }
    }

    /// Proxies say little; more than this is no head.
    static let maxBytes = 16_384

    /// Reads a head from the start of what has come.
    ///
    /// - Returns: nil as long as its end has not come.
    /// - Throws: ``RoadFault/badReply`` as soon as it cannot become a head any more.
    init?(_ bytes: UnsafeRawBufferPointer) throws(RoadFault) {
        // The first bytes tell a server of another protocol apart, which may never send a line's end.
        guard bytes.prefix(7).elementsEqual("HTTP/1.".utf8.prefix(bytes.count)) else { throw .badReply }
        guard let end = try Self.end(of: bytes) else { return nil }
        var lines = bytes[..<(end - 2)].split(separator: 0x0A).map { $0.dropLast() }[...]
        guard let statusLine = lines.popFirst() else { throw .badReply }
        status = try Self.status(statusLine)
        fields = try lines.map { line throws(RoadFault) in try Self.field(line) }
        byteCount = end
    }

    /// Where the empty line ends.
    private static func end(of bytes: UnsafeRawBufferPointer) throws(RoadFault) -> Int? {
        var lineStart = 0
        for place in 0..<min(bytes.count, maxBytes) {
            let byte = bytes[place]
            if byte == 0x0A {
                guard place > 0, bytes[place - 1] == 0x0D else { throw .badReply }
                if place - lineStart == 1, lineStart > 0 { return place + 1 }
                lineStart = place + 1
            } else if place > 0,
                bytes[place - 1] == 0x0D || byte == 0x7F || byte < 0x20 && byte != 0x09 && byte != 0x0D
            {
                throw .badReply
            }
        }
        guard bytes.count < maxBytes else { throw .badReply }
        return nil
    }

    /// Reads `HTTP/1.1 200 Connection established`.
    private static func status(_ line: Slice<UnsafeRawBufferPointer>) throws(RoadFault) -> Int {
        let bytes = Array(line)
        guard bytes.count >= 12, bytes[7] == 0x30 || bytes[7] == 0x31, bytes[8] == 0x20,
            bytes.count == 12 || bytes[12] == 0x20,
            bytes[9..<12].allSatisfy({ $0 &- 0x30 < 10 })
        else { throw .badReply }
        let status = bytes[9..<12].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard status >= 100 else { throw .badReply }
        return status
    }

    private static func field(_ line: Slice<UnsafeRawBufferPointer>) throws(RoadFault) -> (
        name: String, value: String
    ) {
        guard let colon = line.firstIndex(of: 0x3A), colon > line.startIndex,
            line[..<colon].allSatisfy({ isToken($0) })
        else { throw .badReply }
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        let value = line[(colon + 1)...].drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return (
            String(decoding: line[..<colon], as: UTF8.self).lowercased(),
            String(decoding: value, as: UTF8.self)
        )
    }

    /// Whether a byte may stand in a field's name (RFC 9110, section 5.6.2).
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x5E...0x7A, 0x7C, 0x7E, 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E:
            true
        default: false
        }
    }

    /// The one value of a field.
    ///
    /// - Returns: nil where it is missing or stands more than once.
    func only(_ name: String) -> String? {
        let values = fields.filter { $0.name == name }
        return values.count == 1 ? values.first?.value : nil
    }

    /// Whether a field that is a list holds a word, in any case.
    func list(_ name: String, contains word: String) -> Bool {
        fields.filter { $0.name == name }.flatMap { $0.value.split(separator: ",") }.contains { item in
            item.split(separator: " ").joined(separator: " ").lowercased() == word
        }
    }
}
