import Foundation
import NIOCore
import Testing
import Wire

@testable import Sidecar

@Suite("An error of the sidecar's own has the shape that the client's SDK reads")
struct ErrorAnswerTests {
    static let errors: [SidecarError] = [
        .badRequest("a \"quoted\" detail\n"), .requestTimedOut, .bodyTooLarge(limitBytes: 1),
        .headTooLarge(limitBytes: 2), .unknownTransferCoding, .tooManyConnections(limit: 3),
        .buffersFull(limitBytes: 4), .loop, .noUpstream(listener: "dify"),
        .upstreamUnreachable(upstream: "l"),
        .upstreamTimedOut(upstream: "l", waitedFor: "first byte"), .upstreamBroke(upstream: "l"),
        .allTargetsOpen(retryAfterSeconds: 17), .contextExceeded(tokens: 9, budget: 8),
    ]

    private func object(_ bytes: [UInt8]) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    @Test("complete HTTP, on a connection that stays and on one that ends", arguments: errors, [true, false])
    func responses(error: SidecarError, keepsAlive: Bool) throws {
        let answer = ErrorAnswer(error, dialect: .openAIChat)

        let response = answer.response(keepsAlive: keepsAlive, notes: AnswerNotes(requestID: "id"))

        let head = try #require(response.text.components(separatedBy: "\r\n\r\n").first)
        let read = try headBuffer(head.components(separatedBy: "\r\n")).responseHead()
        #expect(read.status == error.status)
        #expect(read.framing == .length(response.readableBytes - read.byteCount))
        #expect(read.keepsAlive == keepsAlive)
        #expect(head.contains("\r\nRetry-After: 17") == (error.status == 429))
        #expect(!head.contains(" Error\r\n"), "every status has its reason")
        #expect(Array(response.readableBytesView.suffix(answer.body.count)) == answer.body)
    }

    @Test("the error object", arguments: errors, [Dialect.openAIChat, .anthropicMessages, .other])
    func bodies(error: SidecarError, dialect: Dialect) throws {
        let body = try object(ErrorAnswer(error, dialect: dialect).body)

        let detail = try #require(body["error"] as? [String: Any])
        #expect(detail["message"] as? String == error.message)
        #expect(detail["type"] as? String == error.type)
        if dialect == .anthropicMessages {
            #expect(body["type"] as? String == "error" && detail["code"] == nil)
        } else {
            #expect(body.keys.elementsEqual(["error"]) && detail["param"] is NSNull)
            #expect(detail["code"] as? String == expectedCode(of: error))
        }
    }

    /// LiteLLM's status as text, but OpenAI's own word where SDKs act on it.
    private func expectedCode(of error: SidecarError) -> String {
        if case .contextExceeded = error { return "context_length_exceeded" }
        return "\(error.status)"
    }

    @Test("labels are a closed set, one a failure")
    func labels() {
        #expect(Set(Self.errors.map(\.label)).count == Self.errors.count)
        #expect(Self.errors.allSatisfy { $0.label.wholeMatch(of: /[a-z_]+/) != nil })
    }

    @Test("the last event of a cut stream is one data line and an empty one")
    func event() throws {
        let event = ErrorAnswer(.upstreamBroke(upstream: "a\nb"), dialect: .openAIChat).event

        let text = String(decoding: event, as: UTF8.self)
        #expect(text.hasPrefix("data: {") && text.hasSuffix("}\n\n"))
        #expect(text.count { $0 == "\n" } == 2)
        #expect(try object(Array(text.dropFirst(6).utf8))["error"] != nil)
    }
}
