import Foundation
import NIOCore
import Testing
import Wire

@testable import Sidecar

@Suite("An upstream outside sees the house's credential and a short list of fields")
struct ForeignRequestHeadTests {
    private func sent(
        _ lines: [String],
        url: String = "https://outside.example/v1beta/openai",
        dialect: Dialect = .openAIChat,
        bearer: String? = "house",
        passesCredentials: Bool = false,
        isLiteLLM: Bool = false,
        bodyCount: Int? = 7
    ) throws -> [String] {
        let bytes = headBuffer(lines)
        let written = ForeignRequestHead(
            head: try bytes.requestHead(),
            bytes: bytes,
            url: try UpstreamURL(url),
            dialect: dialect,
            bearer: bearer,
            passesCredentials: passesCredentials,
            requestID: "id",
            traceID: "0123456789abcdef0123456789abcdef",
            isLiteLLM: isLiteLLM,
            forbidsRetries: isLiteLLM,
            bodyCount: bodyCount
        ).written(roomBehind: 10)
        // What is sent is a head that the sidecar itself would accept.
        _ = try written.requestHead()
        return written.text.components(separatedBy: "\r\n").dropLast(2)
    }

    @Test("nothing of the client's but what the list names")
    func allowList() throws {
        let lines = try sent([
            "POST /v1/chat/completions?api-version=1 HTTP/1.1", "Host: house",
            "Authorization: Bearer sk-client",
            "x-api-key: sk-client", "Cookie: a=b", "X-OpenWebUI-User-Email: a@b.c",
            "X-Forwarded-For: 192.0.2.1",
            "x-request-id: mine", "Content-Type: application/json", "Accept: text/event-stream",
            "User-Agent: sdk/1", "Content-Length: 3", "x-sidecar-arm: a", "Accept-Encoding: gzip",
        ])

        #expect(
            lines == [
                "POST /v1beta/openai/chat/completions HTTP/1.1", "Host: outside.example",
                "Authorization: Bearer house", "Content-Length: 7", "Accept-Encoding: identity",
                "x-request-id: id",
                "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
                "Content-Type: application/json", "Accept: text/event-stream", "User-Agent: sdk/1",
            ]
        )
    }

    @Test(
        "the URL's path stands in place of the version",
        arguments: [
            ("/v1/chat/completions", Dialect.openAIChat, "/p/chat/completions"),
            ("/openai/deployments/x/embeddings?api-version=2", .embeddings, "/p/embeddings"),
            ("/v1/models", .other, "/p/models"), ("/v1?a=b", .other, "/p?a=b"), ("/v1", .other, "/p"),
            ("/v1beta/x", .other, "/p/v1beta/x"), ("/models", .other, "/p/models"),
        ]
    )
    func path(of target: String, dialect: Dialect, expected: String) throws {
        let lines = try sent(["POST \(target) HTTP/1.1", "Host: h"], url: "http://o:81/p", dialect: dialect)

        #expect(lines[0] == "POST \(expected) HTTP/1.1" && lines[1] == "Host: o:81")
    }

    @Test("without a credential of the house the client's own passes where it is meant for this upstream")
    func ownUpstream() throws {
        let head = [
            "POST /v1/chat/completions HTTP/1.1", "Host: h", "Authorization: Bearer sk", "Cookie: a=b",
        ]

        let passed = try sent(head, bearer: nil, passesCredentials: true)
        let kept = try sent(head, bearer: nil)

        #expect(passed.contains("Authorization: Bearer sk") && !passed.contains("Cookie: a=b"))
        #expect(!kept.contains { $0.hasPrefix("Authorization") })
    }

    @Test("a LiteLLM keeps its paths, and is told not to try again")
    func litellm() throws {
        let lines = try sent(
            ["POST /v1/chat/completions HTTP/1.1", "Host: h"],
            url: "http://other:4000",
            isLiteLLM: true
        )

        #expect(
            lines[0] == "POST /v1/chat/completions HTTP/1.1" && lines.contains("x-litellm-num-retries: 0")
        )
    }

    @Test("a body that passes while it arrives keeps its framing")
    func framing() throws {
        let chunked = ["POST /v1/files HTTP/1.1", "Host: h", "Transfer-Encoding: chunked"]

        #expect(try sent(chunked, dialect: .other, bodyCount: nil).contains("Transfer-Encoding: chunked"))
        #expect(
            try sent(["POST /a HTTP/1.1", "Host: h", "Content-Length: 5"], dialect: .other, bodyCount: nil)
                .contains("Content-Length: 5")
        )
    }
}
