import Foundation
import NIOCore
import Testing
import Wire

@testable import Sidecar

@Suite("The reverse path sends a request to the host that its path names")
struct ReversePathTests {
    private static let settings = EgressSettings(
        forward: [
            ForwardRule(
                hosts: ["*.googleapis.com", "api.example:8443", "127.0.0.1"].compactMap(ForwardHost.init),
                hop: "google"
            )
        ]
    )

    private func path(_ target: String) throws -> (path: ReversePath, target: String) {
        let bytes = headBuffer(["POST \(target) HTTP/1.1", "Host: sidecar:4110"])
        let path = ReversePath(try bytes.requestHead(), bytes, Self.settings)
        return (
            path, bytes.withUnsafeReadableBytes { String(decoding: $0.slice(path.target), as: UTF8.self) }
        )
    }

    @Test(
        "a host that is listed",
        arguments: [
            (
                "/to/a.googleapis.com/v1beta/models?key=k", "https://a.googleapis.com:443",
                "/v1beta/models?key=k"
            ),
            ("/to/A.GoogleAPIs.com./x", "https://a.googleapis.com:443", "/x"),
            ("/to/a.googleapis.com:443/", "https://a.googleapis.com:443", "/"),
            ("/to/a.googleapis.com", "https://a.googleapis.com:443", ""),
            ("/to/a.googleapis.com?q", "https://a.googleapis.com:443", "?q"),
            ("/to/api.example:8443//a/../b", "https://api.example:8443", "//a/../b"),
            ("/to/127.0.0.1/x", "https://127.0.0.1:443", "/x"),
        ]
    )
    func listed(_ row: (target: String, origin: String, rest: String)) throws {
        let (path, rest) = try path(row.target)
        let upstream = try #require(path.upstream)

        let url = upstream.settings.url
        #expect("\(url.isTLS ? "https" : "http")://\(url.host):\(url.port)" == row.origin)
        #expect(upstream.settings.hop == "google")
        #expect(rest == row.rest)
    }

    @Test(
        "anything else is nobody's",
        arguments: [
            "/", "/v1/chat/completions", "/to", "/to/", "/to//x", "/to/googleapis.com/x", "/to/a.example/x",
            "/to/a.googleapis.com:80/x", "/to/a.googleapis.com:0443x/", "/to/api.example/x",
            "/to/user@a.googleapis.com/x", "/to/%61.googleapis.com/x", "/to/a.googleapis.com%00/x",
            "/to/127.1/x", "/to/2130706433/x", "/to/0x7f000001/x", "/to/[::ffff:127.0.0.1]/x", "/to/[::1]/x",
            "/to/10.0.0.1/x", "/TO/a.googleapis.com/x", "http://sidecar/to/a.googleapis.com/x",
        ]
    )
    func other(_ target: String) throws {
        #expect(try path(target).path.upstream == nil)
    }

    @Test("the provider sees its own key and nothing of who the client is")
    func head() throws {
        let bytes = headBuffer([
            "POST /to/a.googleapis.com/v1beta/x:generateContent?alt=sse HTTP/1.1", "Host: sidecar:4110",
            "x-goog-api-key: provider", "Authorization: Bearer provider", "Content-Type: application/json",
            "Content-Length: 7", "User-Agent: litellm", "X-Other: passes", "Accept-Encoding: gzip, br",
            "X-Forwarded-For: 10.0.0.1", "X-Forwarded-Port: 1", "Forwarded: for=a", "X-Real-IP: 10.0.0.1",
            "Cookie: a", "x-openwebui-user-email: a", "x-openwebui-chat-id: a", "x-request-id: a",
            "traceparent: a", "tracestate: a", "x-sidecar-arm: a", "x-litellm-num-retries: 0", "Via: 1.1 a",
            "Connection: keep-alive, x-hop", "x-hop: a", "Proxy-Authorization: Basic a",
        ])
        let head = try bytes.requestHead()
        let path = ReversePath(head, bytes, Self.settings)

        let written = ReversePathHead(head: head, bytes: bytes, path: path).written(roomBehind: 0)

        _ = try written.requestHead()
        #expect(
            written.text.components(separatedBy: "\r\n").dropLast(2) == [
                "POST /v1beta/x:generateContent?alt=sse HTTP/1.1", "Host: a.googleapis.com",
                "x-goog-api-key: provider", "Authorization: Bearer provider",
                "Content-Type: application/json", "Content-Length: 7", "User-Agent: litellm",
                "X-Other: passes", "Accept-Encoding: identity", "Via: 1.1 sidecar",
            ]
        )
    }

    @Test("a chunked body stays chunked, an upgrade an upgrade, and a path there always is")
    func framing() throws {
        let bytes = headBuffer([
            "GET /to/api.example:8443?q HTTP/1.1", "Host: a", "Transfer-Encoding: chunked",
            "Connection: Upgrade", "Upgrade: websocket",
        ])
        let head = try bytes.requestHead()
        let path = ReversePath(head, bytes, Self.settings)

        let lines = ReversePathHead(head: head, bytes: bytes, path: path).written(roomBehind: 0).text
            .components(separatedBy: "\r\n")

        #expect(lines[0] == "GET /?q HTTP/1.1")
        #expect(lines[1] == "Host: api.example:8443")
        #expect(lines.contains("Transfer-Encoding: chunked"))
        #expect(lines.contains("Upgrade: websocket"))
        #expect(lines.filter { $0 == "Connection: Upgrade" }.count == 1)
    }
}

@Suite("What a client has said first is kept while it can be said again")
struct FirstBytesTests {
    @Test("everything that waits, and what was sent up to the limit")
    func keeps() {
        var first = FirstBytes()

        first.hold(ByteBuffer(string: "a"))
        first.sent(ByteBuffer(string: "b"))

        #expect(first.kept == ByteBuffer(string: "ab"))
        #expect(first.hasRoom)
    }

    @Test("too much that waits is kept, too much that was sent is not")
    func limits() {
        var first = FirstBytes()

        first.hold(ByteBuffer(repeating: 1, count: FirstBytes.limit + 1))
        #expect(first.kept?.readableBytes == FirstBytes.limit + 1)
        #expect(!first.hasRoom)
        first.sent(ByteBuffer(repeating: 1, count: 1))
        #expect(first.kept == nil)
    }

    @Test("nothing once an answer has begun")
    func answered() {
        var first = FirstBytes()

        first.sent(ByteBuffer(string: "a"))
        first.wereAnswered()

        #expect(first.kept == nil)
    }
}
