import Testing

@testable import Egress

@Suite("HTTP CONNECT asks for a tunnel and reads the answer strictly")
struct HTTPConnectStateTests {
    private func state(
        _ userInfo: String? = nil,
        to destination: Destination = Destination(host: "example.com", port: 443)
    ) throws -> HTTPConnectState {
        try HTTPConnectState(destination, credentials: LinkCredentials(userInfo))
    }

    @Test(
        "the request names the destination and the credentials",
        arguments: [
            ("example.com", nil, "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"),
            ("2001:db8::1", nil, "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n"),
            // The example of RFC 7617, section 2.
            (
                "example.com", "Aladdin:open%20sesame",
                """
                CONNECT example.com:443 HTTP/1.1\r
                Host: example.com:443\r
                Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r
                \r

                """
            ),
        ] as [(String, String?, String)]
    )
    func request(host: String, userInfo: String?, text: String) throws {
        let state = try state(userInfo, to: Destination(host: host, port: 443))

        #expect(String(decoding: TunnelTranscript(state, receiving: []).sent, as: UTF8.self) == text)
    }

    @Test(
        "a destination that would write lines of its own is refused",
        arguments: ["a b", "a\r\nX: y", "", "a\u{7F}"]
    )
    func unwritable(host: String) {
        #expect(throws: RoadFault.refused) { try state(to: Destination(host: host, port: 443)) }
    }

    static let accepted = [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\nProxy-Agent: x/1\r\n\r\n",
        "HTTP/1.1 200\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 \r\n\r\n",
    ]

    @Test("after a 2xx everything is payload, however the head is cut", arguments: accepted)
    func opens(head: String) throws {
        let bytes = Array((head + "payload\r\n\r\n").utf8)
        for pieces in bytes.everyCut {
            let transcript = try TunnelTranscript(state(), receiving: pieces)
            #expect(transcript.isOpen && transcript.fault == nil)
            #expect(transcript.payload == Array("payload\r\n\r\n".utf8))
        }
    }

    @Test(
        "other answers are classified",
        arguments: [
            ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", .authentication),
            ("HTTP/1.1 403 Filtered\r\n\r\n", .refused),
            ("HTTP/1.1 405 Method Not Allowed\r\n\r\n", .refused),
            ("HTTP/1.1 500 Unable to connect\r\n\r\n", .destinationUnreachable),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", .destinationUnreachable),
            ("HTTP/1.1 302 Found\r\n\r\n", .badReply),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", .badReply),
            ("HTTP/1.1 200 OK\n\n", .badReply),
            ("HTTP/1.1 200 OK\r\nA: b\n\r\n", .badReply),
            ("HTTP/1.1 200 OK\r\n A: b\r\n\r\n", .badReply),
            ("HTTP/1.1 200 OK\r\nA b\r\n\r\n", .badReply),
            ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", .badReply),
            ("HTTP/1.1 200 O\u{0}K\r\n\r\n", .badReply),
            ("HTTP/1.1 200 O\rK\r\n\r\n", .badReply),
            ("HTTP/1.1 2000\r\n\r\n", .badReply),
            ("HTTP/1.1 20\r\n\r\n", .badReply),
            ("HTTP/2 200 OK\r\n\r\n", .badReply),
            ("\u{5}\u{0}", .badReply),
            ("SSH-2.0-OpenSSH", .badReply),
        ] as [(String, RoadFault)]
    )
    func classified(answer: String, fault: RoadFault) throws {
        for pieces in Array(answer.utf8).everyCut {
            let transcript = try TunnelTranscript(state(), receiving: pieces)
            #expect(transcript.fault == fault && !transcript.isOpen)
        }
    }

    @Test("a head without an end is given up")
    func endless() throws {
        let lines = [UInt8](repeating: UInt8(ascii: "a"), count: 20_000)
        let head = Array("HTTP/1.1 200 OK\r\nX: ".utf8) + lines
        let pieces = stride(from: 0, to: head.count, by: 512).map {
            Array(head[$0..<min($0 + 512, head.count)])
        }
        let transcript = try TunnelTranscript(state(), receiving: pieces)

        #expect(transcript.fault == .badReply)
        #expect(transcript.mostHeld <= HTTPReplyHead.maxBytes + 512)
    }

    @Test("announcements without an end are given up")
    func endlessInterims() throws {
        let interim = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        let transcript = try TunnelTranscript(state(), receiving: Array(repeating: interim, count: 1_000))

        #expect(transcript.fault == .badReply)
    }

    @Test("no changed byte makes another status open the tunnel")
    func mutations() throws {
        let head = Array("HTTP/1.1 200 OK\r\nVia: x\r\n\r\n".utf8)
        for (place, bytes) in head.everyMutation {
            let transcript = try TunnelTranscript(state(), receiving: [bytes])
            guard transcript.isOpen else { continue }
            #expect(bytes.starts(with: "HTTP/1.".utf8) && bytes[7] & 0xFE == 0x30)
            #expect(bytes[8] == 0x20 && bytes[9] == UInt8(ascii: "2") && bytes[12] == 0x20)
            #expect(place != head.count - 1 && place != head.count - 2)
        }
    }
}
