import Foundation
import TestSupport
import Testing
import Wire

@Suite("The streamed answers of several attempts become one")
struct SplicedAnswerTests {
    private static let notice = Array("\n[again]\n".utf8)

    /// The events of an answer that says these pieces.
    private static func stream(_ pieces: [String], end: String = "") -> String {
        pieces.map { piece in
            let content = String(decoding: quotedJSON(piece), as: UTF8.self)
            return #"data: {"id":"x","choices":[{"index":0,"delta":{"content":\#(content)}}]}"# + "\n\n"
        }.joined() + end
    }

    private static let end =
        #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"# + "\n\ndata: [DONE]\n\n"

    private static func take(_ stream: String, in cuts: [Int] = [], _ answer: inout SplicedAnswer) -> String {
        let bytes = Array(stream.utf8)
        let places = [0] + cuts.map { $0 % (bytes.count + 1) }.sorted() + [bytes.count]
        return zip(places, places.dropFirst()).map { start, end in
            bytes[start..<end].withUnsafeBytes { String(decoding: answer.take($0), as: UTF8.self) }
        }.joined()
    }

    /// The text that a client reads from events.
    private static func text(of stream: String) throws -> String {
        try stream.split(separator: "\n").filter { $0.hasPrefix("data: {") }.map { line in
            let value = try JSONSerialization.jsonObject(with: Data(line.dropFirst(6).utf8))
            let choices = (value as? [String: Any])?["choices"] as? [[String: Any]]
            return (choices?.first?["delta"] as? [String: Any])?["content"] as? String ?? ""
        }.joined()
    }

    @Test("the first attempt passes as it came, wherever it is cut", arguments: 0..<200)
    func passes(_ cut: Int) {
        let stream = ": hello\n\n" + Self.stream(["a", "ü\n", "\"\\"]) + Self.end
        var answer = SplicedAnswer()

        #expect(Self.take(stream, in: [cut, cut * 7], &answer) == stream)
        #expect(answer.isWhole)
        #expect(String(decoding: answer.text, as: UTF8.self) == "aü\n\"\\")
    }

    static let second: [(prefilled: Bool, begun: String, said: [String], text: String)] = [
        (false, "ab", ["a", "b", "c"], "abc"),
        (false, "ab", ["abc"], "abc"),
        (false, "ab", ["ab"], "ab"),
        (false, "ab", ["ax"], "ab\n[again]\nax"),
        (false, "ab", ["a", "x", "y"], "ab\n[again]\naxy"),
        (false, "ab", ["a"], "ab\n[again]\na"),
        (false, "", ["x"], "x"),
        (true, "ab", ["c"], "abc"),
        (true, "ab", ["a", "bc"], "abc"),
        (true, "ab", ["ac"], "abac"),
        (true, "ab", ["a"], "aba"),
        (true, "ab ", ["ab", " c"], "ab c"),
        (true, "ab ", ["ab c"], "ab c"),
        (true, "ab \n", [" ", "\n", "c"], "ab \nc"),
        (true, "ab ", ["c"], "ab c"),
        (true, "ab ", ["\nc"], "ab \nc"),
        (true, "ab", [" ", " c"], "ab  c"),
    ]

    @Test("of another attempt goes on what the client does not have", arguments: second)
    func goesOn(_ row: (prefilled: Bool, begun: String, said: [String], text: String)) throws {
        var answer = SplicedAnswer()
        var heard = Self.take(Self.stream(row.begun.isEmpty ? [] : [row.begun]), &answer)
        answer.brokeOff()
        #expect(!answer.isWhole)
        answer.begin(row.prefilled ? .goOn : .startOver(notice: Self.notice))
        heard += Self.take(Self.stream(row.said) + Self.end, &answer)

        #expect(try Self.text(of: heard) == row.text)
        #expect(answer.isWhole)
        #expect(heard.hasSuffix("data: [DONE]\n\n"))
    }

    @Test("what an attempt says is the same however it arrives", arguments: 0..<300 as Range<UInt64>)
    func anyPieces(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let letters = Array("ab ü\n\"")
        func word(_ count: Int) -> String {
            String((0..<count).map { _ in letters.randomElement(using: &random) ?? "a" })
        }
        let whole = word(.random(in: 1...12, using: &random))
        let begun = String(whole.prefix(.random(in: 0...whole.count, using: &random)))
        let cuts = (0..<4).map { _ in Int.random(in: 0..<2_000, using: &random) }
        var answer = SplicedAnswer()
        var heard = Self.take(Self.stream(begun.map { String($0) }), in: cuts, &answer)
        answer.begin(.startOver(notice: Self.notice))
        heard += Self.take(Self.stream(whole.map { String($0) }) + Self.end, in: cuts, &answer)

        #expect(try Self.text(of: heard) == whole)
        #expect(Array(whole.utf8) == answer.text)
    }

    static let broken: [(stream: String, hasError: Bool)] = [
        (#"data: {"error":{"message":"m","code":"529"}}"# + "\n\n", true),
        (#"data: {"choices":[{"delta""# + "\n\n", false),
    ]

    @Test(
        "an event that is an error, or broken JSON, is kept from the client, and all behind it",
        arguments: broken
    )
    func breaks(_ row: (stream: String, hasError: Bool)) {
        var answer = SplicedAnswer()
        let begun = Self.stream(["a"])

        #expect(Self.take(begun + row.stream + Self.stream(["b"]) + Self.end, &answer) == begun)
        #expect(answer.condition == .broken)
        #expect(!answer.isWhole)
        #expect(
            answer.errorEvent.map { String(decoding: $0, as: UTF8.self) } == (row.hasError ? row.stream : nil)
        )
        #expect(answer.end().isEmpty)
    }

    @Test("an event that is no object passes", arguments: ["nonsense", "null", "[1]", "\"a\"", " "])
    func passesWhatSaysNothing(_ data: String) {
        var answer = SplicedAnswer()
        let stream = Self.stream(["a"]) + "data: \(data)\n\n" + Self.stream(["b"]) + Self.end

        #expect(Self.take(stream, &answer) == stream)
        #expect(answer.isWhole)
    }

    @Test("an answer to which nothing but its end is missing gets it once")
    func closes() {
        var answer = SplicedAnswer()
        _ = Self.take(Self.stream(["a"]) + Self.end.replacing("data: [DONE]\n\n", with: ""), &answer)

        #expect(String(decoding: answer.end(), as: UTF8.self) == "data: [DONE]\n\n")
        #expect(answer.end().isEmpty)
    }

    static let others = [
        #"{"tool_calls":[{"index":0}]}"#, #"{"function_call":{"name":"f"}}"#, #"{"images":[{}]}"#,
        #"{"audio":{"data":"x"}}"#, #"{"refusal":"no"}"#, #"{"content":[1]}"#,
    ]

    @Test("after anything but text no other attempt can go on", arguments: others)
    func cannotContinue(_ delta: String) {
        var answer = SplicedAnswer()
        _ = Self.take(#"data: {"choices":[{"index":0,"delta":\#(delta)}]}"# + "\n\n", &answer)
        #expect(!answer.canContinue)
    }

    @Test("a stream with an event that is too long passes as it is, and is not gone on with")
    func givesUp() {
        let long = Self.stream([String(repeating: "a", count: SplicedAnswer.maxEventBytes)])
        let rest = Self.stream(["b"]) + Self.end
        var answer = SplicedAnswer()

        #expect(Self.take(long + rest, in: [long.utf8.count - 3], &answer) == long + rest)
        #expect(answer.hasGivenUp)
        #expect(!answer.canContinue)
    }
}

@Suite("The notice of an answer that started again leaves the history")
struct RestartNoticeTests {
    private static func removed(from body: String) throws -> String {
        let bytes = Array(body.utf8)
        let conversation = try #require(Conversation.scan(bytes, as: .openAIChat))
        let splices = bytes.withUnsafeBytes { RestartNotice.removals(from: conversation, in: $0) }
        return String(decoding: bytes.applying(splices), as: UTF8.self)
    }

    private static func chat(_ role: String, _ text: String) -> String {
        let quoted = String(decoding: quotedJSON(text), as: UTF8.self)
        return #"{"messages":[{"role":"\#(role)","content":\#(quoted)}]}"#
    }

    private static let notice = String(decoding: RestartNotice.text(model: "m-1"), as: UTF8.self)

    static let texts: [(before: String, after: String)] = [
        ("a\(notice)b", "a\n\nb"),
        ("a\(notice)b\(notice)c", "a\n\nb\n\nc"),
        (notice, "\n\n"),
        (String(notice.dropLast(2)), "\n\n"),
        ("a [sidecar: something else] b", "a [sidecar: something else] b"),
        (String(notice.dropLast(3)), String(notice.dropLast(3))),
    ]

    @Test("from what the assistant said", arguments: texts)
    func removes(before: String, after: String) throws {
        #expect(try Self.removed(from: Self.chat("assistant", before)) == Self.chat("assistant", after))
    }

    @Test("from nobody else", arguments: ["user", "system", "tool"])
    func keeps(_ role: String) throws {
        let body = Self.chat(role, "a\(Self.notice)b")
        #expect(try Self.removed(from: body) == body)
    }
}

@Suite("Only plain text of one answer may be spliced")
struct SpliceableRequestTests {
    static let members: [(members: String, isAllowed: Bool)] = [
        ("", true), (#""n":1,"#, true), (#""n":null,"#, true), (#""n":2,"#, false), (#""n":1.0,"#, false),
        (#""logprobs":false,"#, true), (#""logprobs":true,"#, false), (#""top_logprobs":2,"#, false),
        (#""response_format":null,"#, true), (#""response_format":{"type":"text"},"#, true),
        (#""response_format":{"type":"json_object"},"#, false), (#""response_format":{},"#, false),
        (#""response_format":"text","#, false), (#""audio":{"voice":"a"},"#, false),
        (#""stream":false,"#, false),
    ]

    @Test("by the request's members", arguments: members)
    func isAllowed(members: String, isAllowed: Bool) throws {
        let stream = members.contains("stream") ? "" : #""stream":true,"#
        let body = Array(#"{\#(members)\#(stream)"messages":[{"role":"user","content":"a"}]}"#.utf8)
        let conversation = try #require(Conversation.scan(body, as: .openAIChat))
        #expect(body.withUnsafeBytes { conversation.allowsSplicedAnswer(in: $0) } == isAllowed)
    }

    @Test("the start of an answer becomes a last message")
    func begins() throws {
        let body = Array(#"{"messages":[{"role":"user","content":"a"} ],"stream":true}"#.utf8)
        let conversation = try #require(Conversation.scan(body, as: .openAIChat))
        let begun = body.applying(conversation.beginningAnswer(with: Array("b\"".utf8)))
        let expected =
            #"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b\""} ],"stream":true}"#
        #expect(String(decoding: begun, as: UTF8.self) == expected)
    }
}
