import NIOCore
import Policies
import TestSupport
import Testing
import Wire

@testable import Sidecar

@Suite("The body of an attempt is the client's, with what the target needs changed")
struct AttemptBodyTests {
    private func body(
        of text: String,
        model: String = "gemini-3-pro",
        isForeign: Bool = true,
        isLast: Bool = false,
        upstream: Upstream.Kind = .litellm,
        budget: Budget? = nil
    ) -> AttemptBody {
        AttemptBody.make(
            of: Classification(dialect: .openAIChat, path: "/", body: ByteBuffer(string: text), headers: [:]),
            for: Attempt(target: Target(model: model, upstream: "litellm"), isForeign: isForeign),
            budget: budget,
            isLast: isLast,
            upstream: upstream,
            clip: ClipSettings()
        )
    }

    private func edited(_ made: AttemptBody) -> String? {
        guard case .ready(let body, let isEdited, nil, nil, _) = made, isEdited else { return nil }
        return body.text
    }

    @Test(
        "an upstream outside gets standard fields, and no longer an answer than its window",
        arguments: [
            (
                #"{"model":"c","user":"me","max_tokens":64000,"messages":[],"metadata":{"chat_id":"1"},"top_p":1e0}"#,
                #"{"model":"gemini-3-pro","max_tokens":8000,"messages":[],"top_p":1e0}"#
            ),
            (
                #"{"store":true,"model":"c","messages":[],"max_completion_tokens":100,"vendor":[{"max_tokens":1}]}"#,
                #"{"model":"gemini-3-pro","messages":[],"max_completion_tokens":100}"#
            ),
            (
                #"{"model":"c","messages":[],"max_tokens":"x"}"#,
                #"{"model":"gemini-3-pro","messages":[],"max_tokens":"x"}"#
            ),
        ]
    )
    func outside(text: String, sent: String) {
        let window = Budget(tokens: 8000, counting: Counting(encoding: "o200k_base"))
        let made = AttemptBody.make(
            of: Classification(dialect: .openAIChat, path: "/", body: ByteBuffer(string: text), headers: [:]),
            for: Attempt(
                target: Target(model: "gemini-3-pro", upstream: "google"),
                isForeign: true,
                window: window
            ),
            budget: nil,
            isLast: false,
            upstream: .openai,
            clip: ClipSettings()
        )

        #expect(edited(made) == sent)
    }

    private static let chat =
        #"{ "model" : "claude-x", "temperature": 1.50e0,"messages":[{"role":"user","content":"\u00e9\/é"}], "a" : null }"#

    static let rows: [(when: String, isForeign: Bool, isLast: Bool, upstream: Upstream.Kind, sent: String?)] =
        [
            ("its own model and the last resort: untouched", false, true, .litellm, nil),
            (
                "its own model, with others behind", false, false, .litellm,
                #"{"disable_fallbacks":true, "model" : "claude-x", "temperature": 1.50e0,"messages":[{"role":"user","content":"\u00e9\/é"}], "a" : null }"#
            ),
            (
                "another model, with others behind", true, false, .litellm,
                #"{"disable_fallbacks":true,"drop_params":true, "model" : "gemini-3-pro", "temperature": 1.50e0,"messages":[{"role":"user","content":"\u00e9\/é"}], "a" : null }"#
            ),
            (
                "another model as the last resort", true, true, .litellm,
                #"{"drop_params":true, "model" : "gemini-3-pro", "temperature": 1.50e0,"messages":[{"role":"user","content":"\u00e9\/é"}], "a" : null }"#
            ),
            (
                "another model at an upstream that is no LiteLLM", true, false, .dify,
                #"{ "model" : "gemini-3-pro", "temperature": 1.50e0,"messages":[{"role":"user","content":"\u00e9\/é"}], "a" : null }"#
            ),
        ]

    @Test("byte for byte", arguments: rows)
    func golden(when: String, isForeign: Bool, isLast: Bool, upstream: Upstream.Kind, sent: String?) {
        let made = body(of: Self.chat, isForeign: isForeign, isLast: isLast, upstream: upstream)

        #expect(edited(made) == sent)
        if sent == nil { expectUntouched(made, Self.chat) }
    }

    @Test("what the client says itself is replaced where it stands, the last one of several")
    func replaces() {
        let text = #"{"drop_params":false,"model":"a","disable_fallbacks":null,"model":"b","messages":[]}"#

        #expect(
            edited(body(of: text, model: "c\"\n"))
                == #"{"drop_params":true,"model":"a","disable_fallbacks":true,"model":"c\"\n","messages":[]}"#
        )
    }

    @Test("a body that is not understood is sent as it is", arguments: ["", "{", "[]", #"{"messages":7}"#])
    func notUnderstood(text: String) {
        expectUntouched(
            body(of: text, budget: Budget(tokens: 0, counting: Counting(encoding: "o200k_base"))),
            text
        )
    }

    private func expectUntouched(_ made: AttemptBody, _ text: String) {
        guard case .ready(let sent, let isEdited, let clip, _, _) = made else {
            Issue.record("not ready")
            return
        }
        #expect(sent.text == text && !isEdited && clip == nil)
    }

    @Test("a captured chat of Open WebUI keeps every byte but the model's")
    func captured() throws {
        let head = try capturedHead("owui-chat-429.request")
        let text = try String(
            decoding: Fixtures.bytes("captures/owui-chat-429.request.http")[head.readableBytes...],
            as: UTF8.self
        )

        let sent = try #require(edited(body(of: text)))

        #expect(text.hasPrefix(#"{"stream":true,"model":"oai-quota","#))
        let unchanged = text.dropFirst(#"{"stream":true,"model":"oai-quota","#.count)
        #expect(
            sent == #"{"disable_fallbacks":true,"drop_params":true,"stream":true,"model":"gemini-3-pro","#
                + unchanged
        )
    }

    @Test("a prompt that cannot exceed the budget is not counted, one that might is")
    func countsWhenNeeded() {
        let bytes = Self.chat.utf8.count
        for (tokens, isCounted) in [(bytes, false), (bytes - 1, true)] {
            let made = body(
                of: Self.chat,
                budget: Budget(tokens: tokens, counting: Counting(encoding: "o200k_base"))
            )
            guard case .ready(_, _, let clip, let counted, _) = made else {
                Issue.record("not ready")
                continue
            }
            #expect(clip == nil && (counted != nil) == isCounted)
        }
    }

    @Test("what cannot be clipped is too long")
    func tooLong() {
        let made = body(of: Self.chat, budget: Budget(tokens: 3, counting: Counting(encoding: "o200k_base")))

        guard case .tooLong(let tokens, 3) = made else {
            Issue.record("not too long")
            return
        }
        #expect(tokens > 3)
    }
}
