import TestSupport

/// One recorded request or answer of `Tests/Fixtures/captures`, taken apart.
struct RecordedExchange {
    var startLine: String
    /// Without the framing of chunks.
    var body: [UInt8]
    var isEventStream: Bool

    init(_ name: String) throws {
        let bytes = try Fixtures.bytes("captures/\(name)")
        let end = Self.endOfHead(bytes)
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        startLine = String(head.prefix { $0 != "\r\n" })
        isEventStream = head.lowercased().contains("\r\ncontent-type: text/event-stream")
        let isChunked = head.lowercased().contains("\r\ntransfer-encoding: chunked")
        body = isChunked ? Self.dechunked(bytes[end...]) : Array(bytes[end...])
    }

    var path: String {
        String(startLine.split(separator: " ")[1])
    }

    var status: Int {
        Int(startLine.split(separator: " ")[1]) ?? 0
    }

    /// The names of all recorded requests or answers.
    static func names(_ direction: String) throws -> [String] {
        try Fixtures.names(in: "captures").filter { $0.hasSuffix(".\(direction).http") }
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int {
        let end = Array("\r\n\r\n".utf8)
        for start in 0..<bytes.count - 3 where bytes[start..<start + 4].elementsEqual(end) {
            return start + 4
        }
        return bytes.count
    }

    private static func dechunked(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var rest = bytes
        var body: [UInt8] = []
        while let end = rest.firstIndex(of: 0x0D) {
            let size = Int(String(decoding: rest[rest.startIndex..<end], as: UTF8.self), radix: 16) ?? 0
            guard size > 0 else { break }
            body += rest[(end + 2)..<(end + 2 + size)]
            rest = rest[(end + 4 + size)...]
        }
        return body
    }
}
