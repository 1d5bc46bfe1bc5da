import NIOCore
import Testing
import Wire

@testable import Sidecar

@Suite("Reading request heads off a connection")
struct HeadReaderTests {
    private static let head = "GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test("a head is found at every cut, with or without an empty line in front", arguments: ["", "\r\n"])
    func everyCut(leading: String) {
        let bytes = Array((leading + Self.head + "rest").utf8)
        for cut in 0...bytes.count {
            var reader = HeadReader()
            var input = ByteBuffer(bytes: bytes[..<cut])
            var found = Self.target(reader.read(&input, maxBytes: 1000))
            if found == nil {
                input.writeBytes(bytes[cut...])
                found = Self.target(reader.read(&input, maxBytes: 1000))
            }
            #expect(found == "/v1/models", "cut at \(cut)")
        }
    }

    @Test("a head that comes byte by byte is found at its last one", arguments: ["", "\r\n"])
    func byteByByte(leading: String) {
        var reader = HeadReader()
        var input = ByteBuffer()
        var found: [String] = []
        for byte in Array((leading + Self.head + Self.head).utf8) {
            input.writeInteger(byte)
            if let target = Self.target(reader.read(&input, maxBytes: 1000)) { found.append(target) }
        }
        #expect(found == ["/v1/models", "/v1/models"])
        #expect(input.readableBytes == 0)
    }

    @Test(
        "what is refused says why",
        arguments: [
            (
                "GET / HTTP/1.1\nHost: a\r\n\r\n",
                SidecarError.badRequest("a line feed without a carriage return")
            ),
            (String(repeating: "a", count: 101), .headTooLarge(limitBytes: 100)),
            (
                "GET / HTTP/1.1\r\nA: \(String(repeating: "a", count: 90))\r\n\r\n",
                .headTooLarge(limitBytes: 100)
            ),
            ("GET / HTTP/1.1\r\n\r\n", .badRequest("no Host header")),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", .unknownTransferCoding),
        ]
    )
    func refused(text: String, error: SidecarError) {
        var reader = HeadReader()
        var input = ByteBuffer(string: text)
        guard case .refused(let reason) = reader.read(&input, maxBytes: 100) else {
            Issue.record("accepted: \(text)")
            return
        }
        #expect(reason == error)
    }

    private static func target(_ progress: HeadReader.Progress) -> String? {
        guard case .head(let head, let bytes) = progress else { return nil }
        return bytes.withUnsafeReadableBytes { String(decoding: $0[head.target], as: UTF8.self) }
    }
}
