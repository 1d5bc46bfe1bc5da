import TestSupport
import Testing

@testable import TokenCount

@Suite("Counting and encoding agree, for any text")
struct TokenCounterTests {
    static let cases = Encoding.all.flatMap { encoding in (0..<30).map { (encoding, $0) } }

    @Test("decoding gives the text back", arguments: cases)
    func roundTrip(encoding: Encoding, seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let counter = TokenCounter(encoding)
        let text = SampleText.any(&random)

        let tokens = counter.encode(text)

        #expect(try #require(counter.decode(tokens)) == Array(encoding.prepared(text).utf8))
        #expect(counter.count(text) == tokens.count)
        #expect(counter.encode(Array(text.utf8)) == tokens)
    }

    @Test("a limit is kept exactly", arguments: cases)
    func limit(encoding: Encoding, seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let counter = TokenCounter(encoding)
        let text =
            SampleText.any(&random)
            + String(
                decoding: SampleText.letters(&random, count: Int.random(in: 1...300, using: &random)),
                as: UTF8.self
            )
        let count = counter.count(text)
        let less = Int.random(in: 0..<count, using: &random)

        #expect(counter.count(text, atMost: count) == count)
        #expect(counter.count(text, atMost: count - 1) == nil)
        #expect(counter.count(text, atMost: less) == nil)
        #expect(counter.count(Array(text.utf8), atMost: count) == count)
    }

    @Test("the tokens of a text are those of its pieces", arguments: cases)
    func pieces(encoding: Encoding, seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let counter = TokenCounter(encoding)
        let text = SampleText.any(&random)
        let pieces = encoding.pieces(of: text)

        #expect(Array(pieces.joined().utf8) == Array(encoding.prepared(text).utf8))
        #expect(
            pieces.map { MergeReference(encoding).tokens(of: Array($0.utf8)) }.flatMap { $0 }
                == counter.encode(text)
        )
    }

    @Test("cutting a text before a piece keeps the tokens after it", arguments: cases)
    func tail(encoding: Encoding, seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let counter = TokenCounter(encoding)
        let pieces = encoding.pieces(of: SampleText.any(&random))
        let cut = Int.random(in: 0...pieces.count, using: &random)

        let head = counter.encode(pieces[..<cut].joined())
        let tail = counter.encode(pieces[cut...].joined())

        // The head alone may end otherwise: whitespace at the end of a text is cut in another way.
        #expect(counter.encode(pieces.joined()).suffix(tail.count).elementsEqual(tail))
        #expect(head.isEmpty == (cut == 0))
    }

    @Test("bytes that are not UTF-8 count as replacement characters", arguments: Encoding.all)
    func illFormed(encoding: Encoding) {
        let counter = TokenCounter(encoding)
        let broken: [UInt8] =
            Array("ab ".utf8) + [0xE2, 0x82, 0xC0, 0xED, 0xA0, 0x80, 0xFF] + Array(" c".utf8) + [0xF0]

        #expect(
            counter.encode(broken)
                == counter.encode("ab \u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD} c\u{FFFD}")
        )
    }

    @Test("the empty text has no tokens", arguments: Encoding.all)
    func empty(encoding: Encoding) {
        let counter = TokenCounter(encoding)

        #expect(counter.count("") == 0)
        #expect(counter.count(UnsafeRawBufferPointer(start: nil, count: 0)) == 0)
        #expect(counter.encode("").isEmpty)
        #expect(counter.decode([]) == [])
        #expect(counter.count("", atMost: 0) == 0)
    }

    @Test("what is not an ordinary token is not decoded", arguments: Encoding.all)
    func unknownTokens(encoding: Encoding) {
        let counter = TokenCounter(encoding)

        #expect(counter.decode([-1]) == nil)
        #expect(counter.decode([encoding.vocabulary.tokens]) == nil)
        #expect(counter.decode([0, .max]) == nil)
    }

    @Test("encodings are found by name")
    func names() {
        #expect(
            Encoding.all.map(\.name) == [
                "o200k_base", "cl100k_base", "p50k_base", "gemma", "llama3", "qwen2", "claude_legacy",
            ]
        )
        #expect(Encoding.named("cl100k_base") == .cl100kBase)
        #expect(Encoding.named("o200k") == nil)
    }
}
