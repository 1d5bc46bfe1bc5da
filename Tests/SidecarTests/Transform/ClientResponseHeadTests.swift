import Foundation
import NIOCore
import Testing
import Wire

@testable import Sidecar

@Suite("The client sees the upstream's head with the sidecar's notes behind")
struct ClientResponseHeadTests {
    private func written(
        _ bytes: ByteBuffer,
        keepsAlive: Bool = true,
        isForHTTP10: Bool = false,
        notes: AnswerNotes = AnswerNotes(requestID: "id")
    ) throws -> String {
        let head = ClientResponseHead(
            head: try bytes.responseHead(),
            bytes: bytes,
            keepsAlive: keepsAlive,
            isForHTTP10: isForHTTP10,
            notes: notes
        )
        let buffer = head.written(roomBehind: 0)
        _ = try buffer.responseHead()
        return buffer.text
    }

    private func written(_ lines: [String], keepsAlive: Bool = true, isForHTTP10: Bool = false) throws
        -> [String]
    {
        try written(headBuffer(lines), keepsAlive: keepsAlive, isForHTTP10: isForHTTP10)
            .components(separatedBy: "\r\n").dropLast(2)
    }

    @Test("a captured refusal, byte for byte")
    func golden() throws {
        let captured = try capturedHead("litellm-oai-429-json.response")
        let notes = AnswerNotes(
            requestID: "0123",
            model: "gemini-3-pro",
            attempts: "claude=rate_limited, gemini-3-pro=ok",
            route: "claude",
            clip: ClipReceipt(dropped: 3, kept: 4, before: 50, after: 30, budget: 32),
            overhead: 1_239_999,
            upstream: 98_760_000_000
        )

        let text = try written(captured, notes: notes)

        let kept = captured.text.replacing("Connection: close\r\n", with: "").dropLast()
        #expect(
            text == kept + """
                x-sidecar-request-id: 0123\r
                x-sidecar-model: gemini-3-pro\r
                x-sidecar-attempts: claude=rate_limited, gemini-3-pro=ok\r
                x-sidecar-route: claude\r
                x-sidecar-clip: dropped=3;kept=4;before=50;after=30;budget=32;encoding=o200k_base\r
                server-timing: sidecar;dur=1.23, upstream;dur=98760.00\r
                \r

                """
        )
    }

    static let rows: [(when: String, lines: [String], keeps: Bool, isOld: Bool, written: [String])] = [
        (
            "order and spelling stay", ["HTTP/1.1 200 Très bien", "b:1", "A:  2 ", "Content-Length: 3"], true,
            false,
            ["HTTP/1.1 200 Très bien", "b:1", "A:  2 ", "Content-Length: 3"]
        ),
        (
            "the version is the sidecar's own", ["HTTP/1.0 200 OK", "Content-Length: 3"], true, false,
            ["HTTP/1.1 200 OK", "Content-Length: 3"]
        ),
        (
            "the upstream's connection is not the client's",
            ["HTTP/1.1 200 OK", "Connection: close, X-A", "X-A: 1", "Keep-Alive: 5", "Content-Length: 3"],
            true, false,
            ["HTTP/1.1 200 OK", "Content-Length: 3"]
        ),
        (
            "an upstream's words in the sidecar's name are not believed",
            ["HTTP/1.1 200 OK", "X-Sidecar-Model: m", "Content-Length: 3"], true, false,
            ["HTTP/1.1 200 OK", "Content-Length: 3"]
        ),
        (
            "chunks are announced anew", ["HTTP/1.1 200 OK", "transfer-encoding: chunked", "A: b"], true,
            false,
            ["HTTP/1.1 200 OK", "A: b", "Transfer-Encoding: chunked"]
        ),
        (
            "a connection that ends says so", ["HTTP/1.1 200 OK"], false, false,
            ["HTTP/1.1 200 OK", "Connection: close"]
        ),
        (
            "HTTP/1.0 gets no chunks", ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"], false, true,
            ["HTTP/1.1 200 OK", "Connection: close"]
        ),
        (
            "HTTP/1.0 is told that the connection stays", ["HTTP/1.1 200 OK", "Content-Length: 0"], true,
            true,
            ["HTTP/1.1 200 OK", "Content-Length: 0", "Connection: keep-alive"]
        ),
        (
            "another protocol is agreed on",
            ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: upgrade", "Sec-X: 1"],
            true, false,
            ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Sec-X: 1", "Connection: Upgrade"]
        ),
        (
            "an Upgrade that only advertises goes no further",
            ["HTTP/1.1 200 OK", "Upgrade: h2", "Connection: upgrade", "Content-Length: 0"], true, false,
            ["HTTP/1.1 200 OK", "Content-Length: 0"]
        ),
    ]

    @Test("fields", arguments: rows)
    func fields(when: String, lines: [String], keeps: Bool, isOld: Bool, expected: [String]) throws {
        #expect(
            try written(lines, keepsAlive: keeps, isForHTTP10: isOld) == expected + [
                "x-sidecar-request-id: id"
            ]
        )
    }

    @Test(
        "no text from outside writes a header of its own",
        arguments: ["a\r\nSet-Cookie: b", "\r\n\r\n<html>", "a\u{0}b", "é\u{85}\u{2028}", "\u{7F}"]
    )
    func injection(text: String) throws {
        let notes = AnswerNotes(requestID: text, model: text, attempts: "a=ok", route: text)

        let lines = try written(headBuffer(["HTTP/1.1 200 OK", "Content-Length: 0"]), notes: notes)
            .components(separatedBy: "\r\n")

        #expect(lines.count == 9)
        let own = lines[2...6]
        #expect(own.allSatisfy { $0.hasPrefix("x-sidecar-") || $0.hasPrefix("server-timing: ") })
        #expect(own.allSatisfy { $0.utf8.allSatisfy { (0x20..<0x7F).contains($0) } })
    }

    @Test("the room is enough for the longest notes")
    func room() throws {
        let long = String(repeating: "é", count: 5000)
        var notes = AnswerNotes(
            requestID: long,
            model: long,
            attempts: String(repeating: "a", count: 5000),
            route: long
        )
        notes.arm = long
        notes.clip = ClipReceipt(dropped: 9_999_999, kept: 0, before: .max, after: .max, budget: .max)
        notes.overhead = .max
        notes.upstream = .max

        let text = try written(headBuffer(["HTTP/1.1 200 OK"]), keepsAlive: false, notes: notes)

        #expect(text.utf8.count > 35_000)
    }
}
