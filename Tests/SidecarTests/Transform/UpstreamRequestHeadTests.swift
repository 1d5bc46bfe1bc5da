import Foundation
import NIOCore
import Testing
import Wire

@testable import Sidecar

@Suite("The upstream sees the client's head, less what concerns the client's connection")
struct UpstreamRequestHeadTests {
    private static let id = "0123456789abcdef0123456789abcdef"

    /// The head that is sent on.
    private func sent(
        _ bytes: ByteBuffer,
        requestID: String = id,
        pathPrefix: String = "",
        _ change: (inout UpstreamRequestHead) -> Void = { _ in }
    ) throws -> String {
        var head = UpstreamRequestHead(
            head: try bytes.requestHead(),
            bytes: bytes,
            url: UpstreamURL(isTLS: false, host: "litellm", port: 4000, pathPrefix: pathPrefix),
            clientAddress: "192.0.2.7",
            requestID: requestID,
            traceID: Self.id
        )
        change(&head)
        let written = head.written(roomBehind: 10)
        // What is sent is a head that the sidecar itself would accept.
        _ = try written.requestHead()
        return written.text
    }

    private func sent(
        _ lines: [String],
        pathPrefix: String = "",
        _ change: (inout UpstreamRequestHead) -> Void = { _ in }
    ) throws -> [String] {
        try sent(headBuffer(lines), pathPrefix: pathPrefix, change).components(separatedBy: "\r\n").dropLast(
            2
        )
    }

    private static let additions = [
        "Via: 1.1 sidecar", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http", "X-Forwarded-Host: h",
        "x-request-id: 0123456789abcdef0123456789abcdef",
        "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
    ]

    @Test("a captured chat of Open WebUI, edited for the next target: byte for byte")
    func golden() throws {
        let text = try sent(capturedHead("owui-chat-429.request"), pathPrefix: "/litellm") { head in
            head.bodyCount = 321
            head.asksForIdentity = true
            head.forbidsRetries = true
        }

        #expect(
            text == """
                POST /litellm/v1/chat/completions HTTP/1.1\r
                Host: 127.0.0.1:9201\r
                Content-Type: application/json\r
                X-OpenWebUI-Auth-Type: jwt\r
                X-OpenWebUI-User-Name: Lab Tester\r
                X-OpenWebUI-User-Id: d4b96737-96a1-4c55-b529-356f6859eecb\r
                X-OpenWebUI-User-Email: tester@example.test\r
                X-OpenWebUI-User-Role: admin\r
                X-OpenWebUI-Chat-Id: e4933775-4d9e-4318-a7bb-a49606fe6268\r
                Authorization: Bearer <redacted>\r
                Accept: */*\r
                User-Agent: Python/3.11 aiohttp/3.14.5\r
                Content-Length: 321\r
                Accept-Encoding: identity\r
                x-litellm-num-retries: 0\r
                Via: 1.1 sidecar\r
                X-Forwarded-For: 192.0.2.7\r
                X-Forwarded-Proto: http\r
                X-Forwarded-Host: 127.0.0.1:9201\r
                x-request-id: 0123456789abcdef0123456789abcdef\r
                traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r
                \r

                """
        )
    }

    @Test("a captured upgrade: byte for byte")
    func upgrade() throws {
        let captured = try capturedHead("ep-realtime-upgrade.request")
        let own = captured.text.components(separatedBy: "\r\n").dropLast(2)

        let lines = try sent(captured).components(separatedBy: "\r\n").dropLast(2)

        let kept = own.filter { !$0.lowercased().hasPrefix("connection:") }
        #expect(Array(lines.prefix(kept.count)) == kept && kept.count == own.count - 1)
        #expect(lines[kept.count] == "Connection: Upgrade")
        #expect(lines.contains { $0.lowercased() == "upgrade: websocket" })
    }

    @Test("without anything to change, every line stays as it is spelled, and additions stand behind")
    func keepsLines() throws {
        let lines = ["get /a?b HTTP/1.1", "hOST: h", "X-B:1", "x-a:   2  ", "X-B: 3", "Content-Length: 0"]

        #expect(try sent(lines) == lines + Self.additions)
    }

    static let rows: [(when: String, lines: [String], sent: [String])] = [
        (
            "hop-by-hop fields and those that Connection names stay here",
            [
                "Connection: keep-alive, X-Mine", "X-Mine: 1", "Keep-Alive: 5", "TE: trailers", "Trailer: a",
                "Proxy-Connection: close", "Upgrade: h2c", "X-Other: 2",
            ], ["X-Other: 2"]
        ),
        (
            "words to the sidecar stay here", ["X-Sidecar-Conversation: a", "x-sidecar-: b", "x-sidecar: c"],
            ["x-sidecar: c"]
        ),
        ("the sidecar has answered Expect itself", ["Expect: 100-continue"], []),
        (
            "credentials pass", ["Authorization: Bearer a", "Cookie: b", "x-api-key: c"],
            ["Authorization: Bearer a", "Cookie: b", "x-api-key: c"]
        ),
        ("the earlier Via stays in front", ["Via: 1.0 other"], ["Via: 1.0 other"]),
        ("an id that the sidecar does not go by is replaced", ["x-request-id: a b", "X-Request-ID:"], []),
        ("a traceparent that the sidecar does not go by is replaced", ["traceparent: 00-zz-zz-00"], []),
        ("chunks are announced anew", ["Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked"]),
    ]

    @Test("fields", arguments: rows)
    func fields(when: String, lines: [String], expected: [String]) throws {
        let start = ["POST / HTTP/1.1", "Host: h"]

        #expect(try sent(start + lines) == start + expected + Self.additions)
    }

    @Test("ids that are well formed are kept, once")
    func keepsIDs() throws {
        let parent = "traceparent: 00-\(Self.id)-00f067aa0ba902b7-00"
        let lines = ["GET / HTTP/1.1", "Host: h", "X-Request-Id: mine", parent, "x-request-id: mine"]

        let text = try sent(headBuffer(lines), requestID: "mine")

        #expect(text.components(separatedBy: "mine").count == 2)
        #expect(text.components(separatedBy: "traceparent").count == 2 && text.contains(parent))
    }

    @Test("earlier addresses stand before the client's, in their order, and cannot be named away")
    func forwardedFor() throws {
        let lines = [
            "GET / HTTP/1.1", "X-Forwarded-For: 1.1.1.1", "Host: h", "Connection: X-Forwarded-For",
            "x-forwarded-for: 2.2.2.2, 3.3.3.3", "X-Forwarded-For:",
        ]

        let fields = try sent(lines).filter { $0.lowercased().hasPrefix("x-forwarded-for") }

        #expect(fields == ["X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 192.0.2.7"])
    }

    @Test("an earlier proxy's word on protocol and host is kept, unless Connection names it away")
    func forwardedProtocol() throws {
        let own = ["X-Forwarded-Proto: https", "X-Forwarded-Host: out"]

        let kept = try sent(["GET / HTTP/1.1", "Host: h"] + own)
        let named = try sent(
            ["GET / HTTP/1.1", "Host: h", "Connection: x-forwarded-proto, x-forwarded-host"] + own
        )

        #expect(kept.filter { $0.hasPrefix("X-Forwarded-") } == own + ["X-Forwarded-For: 192.0.2.7"])
        #expect(named == ["GET / HTTP/1.1", "Host: h"] + Self.additions)
    }

    @Test("a word on retries is the sidecar's alone where it tries the next target itself")
    func retries() throws {
        let lines = ["POST / HTTP/1.1", "Host: h", "X-LiteLLM-Num-Retries: 7"]

        let theirs = try sent(lines)
        let ours = try sent(lines) { $0.forbidsRetries = true }

        #expect(theirs == lines + Self.additions)
        #expect(ours == lines.dropLast() + ["x-litellm-num-retries: 0"] + Self.additions)
    }

    @Test("the length is the client's until the body is edited")
    func length() throws {
        let lines = ["POST / HTTP/1.1", "Host: h", "content-length: 5"]

        #expect(try sent(lines) == lines + Self.additions)
        let edited = try sent(lines) { $0.bodyCount = 0 }
        #expect(edited == lines.dropLast() + ["Content-Length: 0"] + Self.additions)
        let chunked = try sent(["POST / HTTP/1.1", "Host: h", "Transfer-Encoding: chunked"]) {
            $0.bodyCount = 1_234_567
        }
        #expect(chunked == lines.dropLast() + ["Content-Length: 1234567"] + Self.additions)
    }

    @Test("an absolute target becomes a path, HTTP/1.0 becomes HTTP/1.1 with a Host, and * takes no prefix")
    func requestLine() throws {
        #expect(try sent(["GET http://h/a HTTP/1.1", "Host: h"])[0] == "GET /a HTTP/1.1")
        #expect(try sent(["GET /a HTTP/1.0"]).prefix(2) == ["GET /a HTTP/1.1", "Host:"])
        let server = try sent(["OPTIONS * HTTP/1.1", "Host: h"], pathPrefix: "/x")
        #expect(server[0] == "OPTIONS * HTTP/1.1")
        #expect(try sent(["GET /a HTTP/1.1", "Host: h"], pathPrefix: "/x")[0] == "GET /x/a HTTP/1.1")
    }

    @Test("the room is enough for the longest fields")
    func room() throws {
        let long = String(repeating: "a", count: 60_000)
        let lines = ["GET /\(long) HTTP/1.1", "Host: \(long)", "X-Forwarded-For: \(long)"]

        let text = try sent(headBuffer(lines), requestID: String(repeating: "r", count: 128)) { head in
            head.bodyCount = 999_999_999_999_999_999
            head.asksForIdentity = true
            head.forbidsRetries = true
        }

        #expect(text.utf8.count > 4 * long.utf8.count)
    }
}
