import Foundation
import NIOCore
import Policies
import TestSupport
import Testing
import TokenCount
import Wire

@testable import Sidecar

@Suite("A long history is cut to the target's budget")
struct ClippedBodyTests {
    /// What was sent in place of a body.
    private struct Sent {
        var text: String
        var receipt: ClipReceipt?
        var tokens: Int?
        var request: Classification
    }

    private func classify(_ text: String) -> Classification {
        Classification(dialect: .openAIChat, path: "/", body: ByteBuffer(string: text), headers: [:])
    }

    private func make(_ text: String, _ budget: Budget, _ clip: ClipSettings = ClipSettings()) throws -> Sent?
    {
        let made = AttemptBody.make(
            of: classify(text),
            for: Attempt(target: Target(model: "gemini", upstream: "litellm"), isForeign: true),
            budget: budget,
            isLast: true,
            upstream: .litellm,
            clip: clip
        )
        guard case .ready(let body, true, let receipt, let tokens, _) = made else { return nil }
        return Sent(text: body.text, receipt: receipt, tokens: tokens, request: classify(body.text))
    }

    private func messages(_ text: String) throws -> [[String: Any]] {
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return try #require(object?["messages"] as? [[String: Any]])
    }

    /// The tokens of a body by the public counter, without the sidecar's own classification.
    private func recount(_ text: String, _ encoding: Encoding) throws -> Int {
        let counter = TokenCounter(encoding)
        var tokens = ChatFraming.tokens(messages: 0, named: 0, hasTools: true, hasSystemMessage: true)
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        for tool in object?["tools"] as? [Any] ?? [] {
            let data = try JSONSerialization.data(withJSONObject: tool, options: [.sortedKeys])
            tokens += counter.count(Array(data))
        }
        for message in try messages(text) {
            tokens += ChatFraming.message + counter.count(message["content"] as? String ?? "")
            tokens += counter.count(message["tool_call_id"] as? String ?? "")
            for call in message["tool_calls"] as? [[String: Any]] ?? [] {
                let function = call["function"] as? [String: String] ?? [:]
                for text in [call["id"] as? String, function["name"], function["arguments"]] {
                    tokens += counter.count(text ?? "")
                }
            }
        }
        return tokens
    }

    @Test(
        "sixty thousand tokens with tools, whatever the budget",
        arguments: [2_000, 8_000, 16_000, 32_000, 59_000]
    )
    func sixtyThousand(budget: Int) throws {
        var random = SplitMix(seed: 7)
        let text = try LongChat(turns: 160, wordsPerMessage: 10...90, &random).body
        let before = try recount(text, .o200kBase)
        #expect((60_000...120_000).contains(before))

        let sent = try #require(
            try make(text, Budget(tokens: budget, counting: Counting(encoding: "o200k_base")))
        )

        let after = try recount(sent.text, .o200kBase)
        #expect(after <= budget)
        let (old, new) = (try messages(text), try messages(sent.text))
        let receipt = try #require(sent.receipt)
        #expect(receipt.dropped == old.count - new.count && receipt.kept == new.count)
        #expect(receipt.before == before && receipt.after == after && sent.tokens == after)
        #expect(receipt.budget == Budget(tokens: budget, counting: Counting(encoding: "o200k_base")))
        #expect(receipt.lines.count == old.count)
        #expect(receipt.lines.filter { $0.fate == .dropped }.count == receipt.dropped)
        try expectShape(new, of: old)
    }

    @Test("any history, in either encoding", arguments: 0..<40)
    func property(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let encoding: Encoding = seed % 2 == 0 ? .o200kBase : .cl100kBase
        let turns = Int.random(in: 0...30, using: &random)
        let text = try LongChat(turns: turns, wordsPerMessage: 1...60, &random).body
        let before = try recount(text, encoding)
        let budget = Int.random(in: 1_000...(before + 1_000), using: &random)

        let sent = try #require(
            try make(text, Budget(tokens: budget, counting: Counting(encoding: encoding.name)))
        )

        #expect(try recount(sent.text, encoding) <= budget)
        #expect((sent.receipt != nil) == (before > budget))
        try expectShape(messages(sent.text), of: messages(text))
        if before <= budget { #expect(try messages(sent.text).count == messages(text).count) }
    }

    /// What is kept is what came, in order; system and newest stay; the first of the rest is a user's; every call has
    /// its result.
    private func expectShape(_ new: [[String: Any]], of old: [[String: Any]]) throws {
        #expect(new.first?["role"] as? String == "system")
        #expect(new.dropFirst().first?["role"] as? String == "user")
        let (kept, given) = (new.map { $0 as NSDictionary }, old.map { $0 as NSDictionary })
        #expect(kept.first == given.first && kept.dropFirst() == given.suffix(kept.count - 1))
        let calls = new.flatMap { $0["tool_calls"] as? [[String: Any]] ?? [] }.compactMap {
            $0["id"] as? String
        }
        #expect(calls == new.compactMap { $0["tool_call_id"] as? String })
    }

    @Test("a pinned turn is kept from the dropped part")
    func pins() throws {
        var random = SplitMix(seed: 3)
        var chat = LongChat(turns: 1, wordsPerMessage: 5...5, &random)
        chat.append(["role": "assistant", "content": "first"])
        chat.append(["role": "user", "content": "Typography: keep «this»"])
        chat.append(["role": "assistant", "content": "yes"])
        for _ in 0..<40 {
            chat.append(["role": "user", "content": LongChat.text(60, &random)])
            chat.append(["role": "assistant", "content": "ok"])
        }
        chat.append(["role": "user", "content": "newest"])

        let sent = try #require(
            try make(
                chat.body,
                Budget(tokens: 1_500, counting: Counting(encoding: "o200k_base")),
                ClipSettings(pin: ["«this»"])
            )
        )

        let contents = try messages(sent.text).compactMap { $0["content"] as? String }
        #expect(contents[1...2] == ["Typography: keep «this»", "yes"] && contents.last == "newest")
        #expect(try #require(sent.receipt).dropped > 20)
    }

    @Test(
        "a newest turn that is too large is shortened between scalars, to what the budget leaves",
        arguments: 0..<12
    )
    func truncates(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let encoding: Encoding = seed % 2 == 0 ? .o200kBase : .cl100kBase
        var chat = LongChat(turns: 2, wordsPerMessage: 5...20, &random)
        let question = LongChat.text(Int.random(in: 3_000...6_000, using: &random), &random)
        chat.append(["role": "user", "content": question])
        let budget = Int.random(in: 1_500...4_000, using: &random)

        let sent = try #require(
            try make(chat.body, Budget(tokens: budget, counting: Counting(encoding: encoding.name)))
        )

        let after = try recount(sent.text, encoding)
        #expect(after <= budget && sent.receipt?.after == after)
        #expect(after > budget - 32, "no more is cut than the budget asks for")
        let left = try #require(try messages(sent.text).last?["content"] as? String)
        try expectShortened(left, of: question, in: encoding)
    }

    /// Start and end are the text's own, in whole scalars, and enough is left to mean something.
    private func expectShortened(_ left: String, of text: String, in encoding: Encoding) throws {
        let halves = left.components(separatedBy: "\n[…]\n")
        #expect(halves.count == 2)
        let (start, end) = (try #require(halves.first), try #require(halves.last))
        #expect(text.unicodeScalars.starts(with: start.unicodeScalars))
        #expect(text.unicodeScalars.reversed().starts(with: end.unicodeScalars.reversed()))
        #expect(!left.unicodeScalars.contains("\u{FFFD}"))
        // The last step of shortening may miss the least allowance by the tokens of one scalar on either side.
        #expect(TokenCounter(encoding).count(left) >= Shortening.leastTokens - 16)
    }

    @Test("a tool's result is shortened before the user's words, and its call's arguments never")
    func shortensResultsFirst() throws {
        var random = SplitMix(seed: 11)
        var chat = LongChat(turns: 0, wordsPerMessage: 1...1, &random)
        let question = LongChat.text(400, &random)
        let arguments = "{\"q\":\"\(String(repeating: "x ", count: 400))\"}"
        let result = LongChat.text(5_000, &random)
        chat.append(["role": "user", "content": question])
        let call: [String: Any] = [
            "id": "c", "type": "function", "function": ["name": "f", "arguments": arguments],
        ]
        chat.append(["role": "assistant", "content": NSNull(), "tool_calls": [call]])
        chat.append(["role": "tool", "tool_call_id": "c", "content": result])

        let sent = try #require(
            try make(chat.body, Budget(tokens: 6_000, counting: Counting(encoding: "o200k_base")))
        )

        let left = try messages(sent.text).suffix(3).map { $0 as NSDictionary }
        #expect(left[0]["content"] as? String == question)
        #expect(
            ((left[1]["tool_calls"] as? [[String: Any]])?.first?["function"] as? [String: String])?[
                "arguments"
            ] == arguments
        )
        try expectShortened(try #require(left[2]["content"] as? String), of: result, in: .o200kBase)
    }

    @Test("where rejecting is configured, or nothing can shrink far enough, the prompt is too long")
    func rejects() throws {
        var random = SplitMix(seed: 5)
        var chat = LongChat(turns: 3, wordsPerMessage: 5...20, &random)
        chat.append(["role": "user", "content": LongChat.text(3_000, &random)])

        let budget = Budget(tokens: 2_000, counting: Counting(encoding: "o200k_base"))
        #expect(try make(chat.body, budget) != nil)
        #expect(try make(chat.body, budget, ClipSettings(oversized: .reject)) == nil)
        #expect(try make(chat.body, Budget(tokens: 200, counting: Counting(encoding: "o200k_base"))) == nil)
    }
}
