import NIOCore
import Policies
import TestSupport
import Testing
import TokenCount
import Wire

@testable import Sidecar

@Suite("A body becomes the facts that policies may know")
struct ClassificationTests {
    private func classify(_ body: String, as dialect: Dialect = .openAIChat) -> Classification {
        Classification(dialect: dialect, path: "/p", body: ByteBuffer(string: body), headers: ["a": "b"])
    }

    static let bodies: [(body: String, facts: RequestFacts)] = [
        (
            #"{"model":"m\u00e9","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#,
            RequestFacts(model: "mé", isStream: true)
        ),
        (#"{"messages":[]}"#, RequestFacts(model: "")),
        (
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,"}}]}]}"#,
            RequestFacts(model: "m", carriesImages: true)
        ),
        (
            ####"{"model":"m","messages":[{"role":"user","content":"### Task:\nTitle"}]}"####,
            RequestFacts(model: "m", isTask: true)
        ),
        ("not JSON", RequestFacts(model: "")),
        (#"{"model":"m","messages":"no list"}"#, RequestFacts(model: "")),
    ]

    @Test("the scan gives what costs nothing more", arguments: bodies)
    func facts(body: String, expected: RequestFacts) {
        var expected = expected
        expected.path = "/p"
        expected.headers = ["a": "b"]

        #expect(classify(body).facts == expected)
    }

    @Test("text and tokens are found out only for routes that ask")
    func answers() {
        var request = classify(
            #"{"model":"m","messages":[{"role":"user","content":"no"},{"role":"user","content":[{"type":"text","text":"Größe\n"},{"type":"text","text":"ZWEI"}]},{"role":"assistant","content":"No"}]}"#
        )
        request.answer(RouteQuestions(), PolicySettings())
        #expect(request.facts.lastUserText.isEmpty && request.facts.tokens == nil)
        var asks = RouteQuestions()
        asks.tokens = true
        asks.lastUserText = true

        request.answer(asks, PolicySettings())

        #expect(request.facts.lastUserText == "größe\n\nzwei")
        let counter = TokenCounter(.o200kBase)
        let texts = ["no", "Größe\n", "ZWEI", "No"].reduce(0) { $0 + counter.count($1) }
        #expect(request.facts.tokens == texts + 3 * ChatFraming.message + ChatFraming.replyPriming)
    }

    @Test(
        "a model name that is too long to act on makes a body that is not understood",
        arguments: [256, 257]
    )
    func longModelName(length: Int) {
        let name = String(repeating: "m", count: length)

        let request = classify(#"{"model":"\#(name)","messages":[]}"#)

        #expect((request.conversation != nil) == (length <= Classification.maxModelBytes))
        #expect(request.facts.model == (length <= Classification.maxModelBytes ? name : ""))
    }

    @Test("a body that is not understood has no facts to find out")
    func notUnderstood() {
        var request = classify("{")
        var asks = RouteQuestions()
        asks.tokens = true
        asks.lastUserText = true

        request.answer(asks, PolicySettings())

        #expect(request.facts.tokens == nil && request.facts.lastUserText.isEmpty)
    }

    @Test(
        "no captured chat counts more than is assumed without counting",
        arguments: Encoding.all.map(\.name)
    )
    func bound(encoding: String) throws {
        for name in try Fixtures.names(in: "captures") where name.hasSuffix(".request.http") {
            let capture = try Fixtures.bytes("captures/\(name)")
            let head = try capturedHead(String(name.dropLast(".http".count)))
            let request = try Classification(
                dialect: Dialect.of(path: head.path),
                path: head.path,
                body: ByteBuffer(bytes: capture[head.readableBytes...]),
                headers: [:]
            )
            let counting = Counting(encoding: encoding)
            guard let prompt = request.prompt(by: counting) else { continue }
            #expect(prompt.total <= request.tokensAtMost(by: counting), "\(name)")
        }
    }

    @Test(
        "text that grows in a normal form counts no more than is assumed",
        arguments: [("qwen2", "\u{958}"), ("claude_legacy", "\u{FDFA}")]
    )
    func growingText(encoding: String, unit: String) throws {
        let text = String(repeating: unit, count: 300)
        let request = classify(#"{"model":"m","messages":[{"role":"user","content":"\#(text)"}]}"#)
        let counting = Counting(encoding: encoding)

        let prompt = try #require(request.prompt(by: counting))

        #expect(prompt.total <= request.tokensAtMost(by: counting))
    }

    static let largeParts = [
        #"{"type":"image_url","image_url":{"url":"https://a/b","detail":"high"}}"#,
        #"{"type":"input_audio","input_audio":{"data":"","format":"wav"}}"#,
        #"{"type":"file","file":{"file_id":"x"}}"#,
        #"{"type":"file","file":{"file_data":"data:,"}}"#,
    ]

    @Test(
        "parts that are not counted by their text are assumed to be large",
        arguments: largeParts,
        ImageRule.allCases
    )
    func assumedLarge(part: String, rule: ImageRule) throws {
        let parts = Array(repeating: part, count: 50).joined(separator: ",")
        let request = classify(#"{"model":"m","messages":[{"role":"user","content":[\#(parts)]}]}"#)

        let counting = Counting(images: rule.rawValue)

        let prompt = try #require(request.prompt(by: counting))

        #expect(prompt.total > request.body.readableBytes, "the case is one where bytes alone say too little")
        #expect(prompt.total <= request.tokensAtMost(by: counting))
    }

    @Test("an encoding that is not shipped counts nothing")
    func unknownEncoding() {
        #expect(classify(#"{"messages":[]}"#).prompt(by: Counting(encoding: "klingon")) == nil)
        #expect(classify(#"{"messages":[]}"#).prompt(by: Counting(images: "klingon")) == nil)
    }
}

extension ByteBuffer {
    /// Of a request's head.
    fileprivate var path: String {
        get throws {
            let target = try requestHead().target
            return String(buffer: getSlice(at: target.lowerBound, length: target.count) ?? ByteBuffer())
        }
    }
}
