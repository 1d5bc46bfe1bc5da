import NIOCore
import Policies
import Testing
import Wire

@testable import Sidecar

@Suite("A conversation is known by the best name that the request has, and belongs to its credentials")
struct IdentityTests {
    private func identity(
        _ fields: [String] = [],
        _ body: String = #"{"messages":[{"role":"user","content":"first"}]}"#
    ) throws -> Identity {
        let bytes = headBuffer(["POST /v1/chat/completions HTTP/1.1", "Host: h"] + fields)
        let request = Classification(
            dialect: .openAIChat,
            path: "",
            body: ByteBuffer(string: body),
            headers: [:]
        )
        return Identity(
            head: try bytes.requestHead(),
            bytes: bytes,
            conversation: request.conversation,
            body: request.body,
            isTask: request.facts.isTask
        )
    }

    private static let chat = "X-OpenWebUI-Chat-Id: 1"
    private static let key = "Authorization: Bearer a"

    @Test(
        "the first of its names counts",
        arguments: [
            [chat, "x-sidecar-conversation: 2"], [chat], [chat, "X-OpenWebUI-Chat-Id: 3"],
        ]
    )
    func names(fields: [String]) throws {
        let body = #"{"metadata":{"chat_id":"4"},"messages":[{"role":"user","content":"x"}]}"#

        #expect(try identity(fields, body).conversation == identity([Self.chat]).conversation)
    }

    @Test("another name is another conversation, whatever kind of name it is")
    func differ() throws {
        let bodies = [
            #"{"metadata":{"chat_id":"1"},"messages":[]}"#, #"{"metadata":{"session_id":"2"},"messages":[]}"#,
            #"{"messages":[{"role":"user","content":"1"}]}"#,
            #"{"messages":[{"role":"user","content":"2"}]}"#,
        ]
        let digests =
            try bodies.map { try identity([], $0).conversation }
            + ["1", "2"].map { try identity(["x-sidecar-conversation: \($0)"]).conversation }

        #expect(digests.allSatisfy { $0 != nil })
        // A name is the same by whichever way it comes: chat_id "1" and the header "1".
        #expect(Set(digests).count == 4)
    }

    @Test("a history that grows stays the same conversation")
    func grows() throws {
        let longer =
            #"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"first"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]}"#

        #expect(try identity([], longer).conversation == identity().conversation)
    }

    @Test("nobody can name the conversation of somebody with other credentials")
    func owned() throws {
        let owners = [
            [], [Self.key], ["Authorization: Bearer b"], ["x-api-key: Bearer a"], [Self.key, "api-key: c"],
        ]

        let digests = try owners.map { try identity($0 + [Self.chat]).conversation }

        #expect(Set(digests).count == owners.count)
    }

    @Test("a background task has none")
    func task() throws {
        let task = ####"{"messages":[{"role":"user","content":"### Task:\nname it"}]}"####

        #expect(try identity([Self.chat], task).conversation == nil)
        #expect(try identity([Self.chat, Self.key], task).user != nil)
    }

    @Test("a user is the forwarded one, else the body's, else whoever has the credentials")
    func users() throws {
        let body = #"{"user":"u","messages":[]}"#
        let forwarded = try identity([Self.key, "X-OpenWebUI-User-Id: 7"], body).user
        let named = try identity([Self.key], body).user
        let bare = try identity([Self.key]).user

        #expect(Set([forwarded, named, bare]).count == 3 && bare != nil)
        #expect(try identity().user == nil)
    }
}
