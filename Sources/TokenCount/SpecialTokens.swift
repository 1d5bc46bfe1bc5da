/// The special tokens of an encoding: what marks turns and ends, and has no bytes of its own.
struct SpecialTokens: Sendable {
    /// Numbers by name.
    ///
    /// All names start with `<`.
    let ids: [String: Int]

    /// The special token whose name starts at an offset, and the offset after it; the longest of several.
    func token(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> (id: Int, end: Int)? {
        guard start < text.count, text[start] == 0x3C else { return nil }
        let rest = text[start...]
        let found = ids.lazy.filter { rest.starts(with: $0.key.utf8) }.max {
            $0.key.utf8.count < $1.key.utf8.count
        }
        return found.map { ($0.value, start + $0.key.utf8.count) }
    }

    /// The name of a special token; nil for a number that is none.
    func name(of id: Int) -> String? {
        ids.first { $0.value == id }?.key
    }
}

extension SpecialTokens {
    // OpenAI's: `openai/tiktoken`, `tiktoken_ext/openai_public.py`.
    static let o200kBase = SpecialTokens(ids: ["<|endoftext|>": 199_999, "<|endofprompt|>": 200_018])
    static let cl100kBase = SpecialTokens(ids: [
        "<|endoftext|>": 100_257, "<|fim_prefix|>": 100_258, "<|fim_middle|>": 100_259,
        "<|fim_suffix|>": 100_260, "<|endofprompt|>": 100_276,
    ])
    static let p50kBase = SpecialTokens(ids: ["<|endoftext|>": 50_256])

    // The others': the files that `scripts/vocabulary.py` reads.
    static let claudeLegacy = SpecialTokens(ids: [
        "<EOT>": 0, "<META>": 1, "<META_START>": 2, "<META_END>": 3, "<SOS>": 4,
    ])
    static let qwen2 = SpecialTokens(ids: [
        "<|endoftext|>": 151_643, "<|im_start|>": 151_644, "<|im_end|>": 151_645,
    ])
    static let llama3 = SpecialTokens(ids: llama3Names())
    static let gemma = SpecialTokens(ids: [
        "<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3, "<mask>": 4, "<|tool>": 46, "<tool|>": 47,
        "<|tool_call>": 48, "<tool_call|>": 49, "<|tool_response>": 50, "<tool_response|>": 51,
        "<|\"|>": 52, "<|think|>": 98, "<|channel>": 100, "<channel|>": 101, "<|turn>": 105, "<turn|>": 106,
        "<|image>": 255_999, "<|audio>": 256_000, "<|image|>": 258_880, "<|audio|>": 258_881,
        "<image|>": 258_882, "<audio|>": 258_883, "<|video|>": 258_884,
    ])

    /// Names at five places, and numbered ones, 0 to 250, at the others up to 128,255.
    private static func llama3Names() -> [String: Int] {
        var names = [
            "<|begin_of_text|>": 128_000, "<|end_of_text|>": 128_001, "<|start_header_id|>": 128_006,
            "<|end_header_id|>": 128_007, "<|eot_id|>": 128_009,
        ]
        let free = (128_000...128_255).filter { id in !names.values.contains(id) }
        for (number, id) in free.enumerated() {
            names["<|reserved_special_token_\(number)|>"] = id
        }
        return names
    }
}
