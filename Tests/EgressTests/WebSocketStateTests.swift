import TestSupport
import Testing

@testable import Egress

@Suite("A WebSocket carries a byte stream as RFC 6455 says")
struct WebSocketStateTests {
    /// The key of the example of section 1.3, and the answer to it.
    private static let key = Array("the sample nonce".utf8)
    private static let answer = Array(
        """
        HTTP/1.1 101 Switching Protocols\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
        \r

        """.utf8
    )
    /// As it lies in memory: the mask of the example of section 5.7.
    private static let mask = UInt32(littleEndian: 0x3D21_FA37)

    private func state(host: String = "proxy.example", path: String = "/ray?ed=2048") throws -> WebSocketState
    {
        let layer = try #require(WebSocketLayer(host: host, path: path))
        return WebSocketState(layer, key: Self.key, nextMask: { Self.mask })
    }

    private func transcript(_ frames: [UInt8]...) throws -> TunnelTranscript {
        try TunnelTranscript(state(), receiving: [Self.answer] + frames)
    }

    private var openState: WebSocketState {
        get throws {
            var state = try state()
            _ = try Self.answer.withUnsafeBytes {
                try state.received($0, payload: UnsafeMutableRawBufferPointer(start: nil, count: 0))
            }
            return state
        }
    }

    @Test("the request upgrades the path of the link")
    func request() throws {
        let sent = try String(decoding: TunnelTranscript(state(), receiving: []).sent, as: UTF8.self)

        #expect(
            sent == """
                GET /ray?ed=2048 HTTP/1.1\r
                Host: proxy.example\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
                Sec-WebSocket-Version: 13\r
                \r

                """
        )
    }

    @Test("no link can write lines of its own into the request", arguments: ["a\r\nX: y", "a b", "", "ä"])
    func hosts(host: String) {
        #expect(WebSocketLayer(host: host, path: "/") == nil)
        #expect(
            WebSocketLayer(host: "a", path: "/\(host)")?.path.contains { $0 == "\r" || $0 == " " } != true
        )
    }

    @Test(
        "other answers do not open it",
        arguments: [
            ("101 Switching Protocols", "200 OK", .badReply),
            ("101 Switching Protocols", "404 Not Found", .refused),
            ("101 Switching Protocols", "400 Bad Request", .refused),
            ("101 Switching Protocols", "401 Unauthorized", .authentication),
            ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOp=", .badReply),
            ("Upgrade: websocket", "Upgrade: h2c", .badReply),
            ("Connection: Upgrade", "Connection: close", .badReply),
            (
                "Connection: Upgrade", "Connection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate",
                .badReply
            ),
            ("Connection: Upgrade", "Connection: Upgrade\r\nSec-WebSocket-Protocol: chat", .badReply),
        ] as [(String, String, RoadFault)]
    )
    func refusals(part: String, replacement: String, fault: RoadFault) throws {
        var text = String(decoding: Self.answer, as: UTF8.self)
        text.replace(part, with: replacement)
        let transcript = try TunnelTranscript(state(), receiving: [Array(text.utf8)])

        #expect(transcript.fault == fault && !transcript.isOpen)
    }

    @Test("fields may be spelled and listed in any way")
    func spellings() throws {
        var text = String(decoding: Self.answer, as: UTF8.self)
        text.replace("Connection: Upgrade", with: "connection:keep-alive ,  upgrade ")
        text.replace("Upgrade: websocket", with: "UPGRADE:\tWebSocket")

        #expect(try TunnelTranscript(state(), receiving: [Array(text.utf8)]).isOpen)
    }

    @Test(
        "payload of frames of every form comes out in order, however they are cut",
        arguments: [
            ("82 05 48656c6c6f", "Hello", ""),
            // Fragmented, with a ping in between (section 5.4); the pong has the ping's payload under the mask.
            ("02 03 48656c 89 01 ff 80 02 6c6f", "Hello", "8a 81 37fa213d c8"),
            ("82 00 82 01 61 8a 00 82 01 62", "ab", ""),
            ("89 00 82 01 61", "a", "8a 80 37fa213d"),
            // A Close frame is answered with its status, and nothing counts behind it.
            ("82 01 61 88 05 03e8 627965 82 01 62", "a", "88 82 37fa213d 3412"),
            ("88 00", "", "88 80 37fa213d"),
        ]
    )
    func frames(hex: String, payload: String, replies: String) throws {
        let bytes = Self.answer + [UInt8](hex: hex)
        let sent = try transcript().sent + [UInt8](hex: replies)
        for pieces in bytes.everyCut {
            let transcript = try TunnelTranscript(state(), receiving: pieces)
            #expect(transcript.fault == nil && transcript.isOpen)
            #expect(String(decoding: transcript.payload, as: UTF8.self) == payload)
            #expect(transcript.sent == sent)
            #expect(transcript.hasEnded == hex.contains("88 0"))
        }
    }

    @Test(
        "a frame that breaks a rule is a bad reply",
        arguments: [
            "82 85 37fa213d 7f9f4d5158",  // masked by a server
            "c2 01 61",  // reserved bit
            "81 01 61",  // text
            "83 01 61",  // unknown kind
            "80 01 61",  // continues nothing
            "02 01 61 82 01 62",  // begins within another
            "09 00",  // control frame in fragments
            "89 7e 007e",  // control frame that is too long
            "82 7e 007d",  // length not in the fewest bytes
            "82 7f 000000000000ffff",
            "82 7f 8000000000000000",
        ]
    )
    func brokenFrames(hex: String) throws {
        #expect(try transcript([UInt8](hex: hex)).fault == .badReply)
    }

    @Test("a frame of any length passes without being collected")
    func largeFrame() throws {
        let header = [UInt8](hex: "82 7f 7fffffffffffffff")
        let part = [UInt8](repeating: 0x61, count: 100_000)
        let transcript = try TunnelTranscript(state(), receiving: [Self.answer, header, part, part])

        #expect(transcript.payload.count == 200_000)
        #expect(transcript.mostHeld < 32)
    }

    @Test("sent frames are masked, with the shortest length")
    func seals() throws {
        var state = try openState

        // The example of section 5.7.
        #expect(state.sealed(Array("Hello".utf8))[1...] == [UInt8](hex: "85 37fa213d 7f9f4d5158")[...])
        #expect(state.sealed([UInt8](repeating: 0, count: 125)).prefix(2) == [0x82, 0xFD])
        #expect(state.sealed([UInt8](repeating: 0, count: 126)).prefix(4) == [0x82, 0xFE, 0, 126])
        #expect(state.sealed([UInt8](repeating: 0, count: 65_535)).prefix(4) == [0x82, 0xFE, 0xFF, 0xFF])
        #expect(
            state.sealed([UInt8](repeating: 0, count: 65_536)).prefix(10) == [
                0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0,
            ]
        )
        #expect(state.sealed([]).isEmpty)
    }

    @Test("a Close frame is sent once, and nothing behind it")
    func closing() throws {
        var state = try openState

        #expect(state.closing() == [UInt8](hex: "88 82 37fa213d 3412"))
        #expect(state.closing().isEmpty)
        #expect(state.sealed([1]).isEmpty)
        #expect(!state.canHalfClose)
    }

    @Test("any stream of frames, cut anywhere, gives its payload and answers its pings", arguments: 0..<20)
    func anyFrames(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        var (wire, payload, pings) = (Self.answer, [UInt8](), 0)
        for _ in 0..<12 { Self.addMessage(to: &wire, &payload, &pings, &random) }
        var pieces: [[UInt8]] = []
        var rest = wire[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...3_000, using: &random))
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        let transcript = try TunnelTranscript(state(), receiving: pieces)

        let isSame = transcript.payload == payload
        #expect(transcript.fault == nil && isSame)
        #expect(try transcript.sent.count - self.transcript().sent.count == pings * 8)
    }

    /// A message of one to three frames, with pings of two bytes between them.
    private static func addMessage(
        to wire: inout [UInt8],
        _ payload: inout [UInt8],
        _ pings: inout Int,
        _ random: inout SplitMix
    ) {
        let count = Int.random(in: 1...3, using: &random)
        for place in 0..<count {
            let length = [0, 5, 125, 126, 5_000, 70_000].randomElement(using: &random) ?? 0
            let part = [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: length)
            wire.append((place == count - 1 ? 0x80 : 0) | (place == 0 ? 2 : 0))
            if length < 126 {
                wire.append(UInt8(length))
            } else if length < 65_536 {
                wire += [126, UInt8(length >> 8), UInt8(length & 255)]
            } else {
                wire += [
                    127, 0, 0, 0, 0, 0, UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255),
                ]
            }
            wire += part
            payload += part
            guard Bool.random(using: &random) else { continue }
            wire += [0x89, 2, 1, 2]
            pings += 1
        }
    }

    @Test("no changed byte of the answer opens it where it proves nothing")
    func mutations() throws {
        for (place, bytes) in Self.answer.everyMutation {
            let transcript = try TunnelTranscript(state(), receiving: [bytes])
            guard transcript.isOpen else { continue }
            let text = String(decoding: bytes, as: UTF8.self).lowercased()
            // Another reason phrase, letter case or white space; all else counts.
            let isProven = bytes.contains(Array("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".utf8))
            #expect(isProven && text.hasPrefix("http/1.") && text.contains("websocket"), "byte \(place)")
        }
    }
}
