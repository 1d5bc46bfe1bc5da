import Testing
import Wire

@Suite("The head of a CONNECT request is read strictly")
struct HTTPConnectHeadTests {
    private func read(_ lines: [String]) throws -> (authority: String, authorization: String?) {
        let bytes = Array((lines + ["", ""]).joined(separator: "\r\n").utf8)
        return try bytes.withUnsafeBytes { raw in
            let head = try ConnectHead(reading: raw)
            #expect(head.byteCount == bytes.count)
            return (
                String(decoding: raw.slice(head.authority), as: UTF8.self),
                head.value(of: "proxy-authorization", in: raw)
            )
        }
    }

    @Test("authority and credentials")
    func reads() throws {
        let read = try read([
            "CONNECT a.example:443 HTTP/1.1", "Host: a.example:443", "PROXY-Authorization:  Basic dTpw ",
        ])

        #expect(read.authority == "a.example:443")
        #expect(read.authorization == "Basic dTpw")
    }

    @Test("no field is needed")
    func bare() throws {
        #expect(try read(["CONNECT [::1]:443 HTTP/1.0"]).authority == "[::1]:443")
    }

    @Test(
        "whatever could be read in two ways is refused",
        arguments: [
            ["CONNECT  a:443 HTTP/1.1"], ["CONNECT a:443  HTTP/1.1"], ["CONNECT a:443"],
            ["CONNECT a:443 HTTP/2"],
            ["CONNECT a:443 HTTP/1.2"], ["CONNECT a:443 HTTP/1.1 "], ["connect a:443 HTTP/1.1"], ["CONNECT "],
            ["CONNECT a:443 HTTP/1.1", "Host: a", "Host: b"],
            ["CONNECT a:443 HTTP/1.1", "Content-Length: 1"],
            ["CONNECT a:443 HTTP/1.1", "Transfer-Encoding: chunked"],
            ["CONNECT a:443 HTTP/1.1", " folded: a"],
            ["CONNECT a:443 HTTP/1.1", "A : b"], ["CONNECT a:443 HTTP/1.1", "A: \u{1}"],
        ]
    )
    func refused(_ lines: [String]) {
        #expect(throws: HeadError.self) { try read(lines) }
    }

    @Test("a byte that is wrong never reads past the head", arguments: UInt8.min...UInt8.max)
    func mutated(byte: UInt8) {
        let head = Array("CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        for place in head.indices {
            var mutated = head
            mutated[place] = byte
            var finder = HeadFinder()
            // The caller has seen that the head is one: every line feed after a carriage return, the empty line last.
            guard case .complete(let end) = mutated.withUnsafeBytes({ finder.advance(over: $0) }) else {
                continue
            }
            let read = mutated[..<end].withUnsafeBytes { raw in
                (try? ConnectHead(reading: UnsafeRawBufferPointer(rebasing: raw[...])))?.byteCount
            }
            #expect(read == nil || read == end)
        }
    }
}
