import Testing

@testable import TokenCount

@Suite("Special tokens are text unless asked for")
struct SpecialTokenTests {
    static let rows: [(Encoding, String, [Int])] = [
        (.o200kBase, "a<|endoftext|>", [64, 199_999]),
        (.cl100kBase, "<|fim_prefix|><|fim", [100_258, 27, 91, 69, 318]),
        (.p50kBase, "<|endoftext|>a", [50_256, 64]),
        (.gemma, "<bos><|turn>a<turn|>", [2, 105, 236_746, 106]),
        (.llama3, "<|begin_of_text|>a<|eot_id|>", [128_000, 64, 128_009]),
        (.llama3, "<|reserved_special_token_3|><|reserved_special_token_250|>", [128_005, 128_255]),
        (.qwen2, "<|im_start|>a<|im_end|>", [151_644, 64, 151_645]),
        (.claudeLegacy, "<META_START>a<META>", [2, 69, 1]),
    ]

    @Test("as tokens", arguments: rows)
    func asTokens(encoding: Encoding, text: String, expected: [Int]) {
        let counter = TokenCounter(encoding)

        #expect(counter.encode(text, specials: .asTokens) == expected)
        #expect(counter.count(text, specials: .asTokens) == expected.count)
        #expect(counter.decode(expected, specials: .asTokens) == Array(text.utf8))
    }

    @Test("as text", arguments: rows)
    func asText(encoding: Encoding, text: String, expected: [Int]) {
        let counter = TokenCounter(encoding)

        #expect(counter.encode(text, specials: .asText) == counter.encode(text))
        #expect(counter.encode(text).count > expected.count)
        #expect(counter.count(text, specials: .asText) == counter.count(text))
        #expect(counter.decode(expected, specials: .asText) == nil)
    }
}
