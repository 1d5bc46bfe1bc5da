/// A way of turning text into tokens: a vocabulary and the rule that cuts text into pieces.
public struct Encoding: Sendable {
    /// The name by which the configuration and the reference implementation know it.
    public let name: String

    /// How text is cut before the pieces are merged.
    enum Split: Sendable {
        case o200k, cl100k, llama3, qwen2, gpt2, gemma
    }

    let vocabulary: Vocabulary
    let split: Split
    let preparation: Preparation
    let specials: SpecialTokens

    private init(
        _ name: String,
        _ vocabulary: Vocabulary,
        _ split: Split,
        after preparation: Preparation = .none,
        specials: SpecialTokens
    ) {
        self.name = name
        self.vocabulary = vocabulary
        self.split = split
        self.preparation = preparation
        self.specials = specials
    }

    /// OpenAI's encoding from GPT-4o on: 199,998 ordinary tokens.
    public static let o200kBase = Encoding("o200k_base", .o200kBase, .o200k, specials: .o200kBase)

    /// OpenAI's encoding of GPT-4 and GPT-3.5: 100,256 ordinary tokens.
    public static let cl100kBase = Encoding("cl100k_base", .cl100kBase, .cl100k, specials: .cl100kBase)

    /// OpenAI's encoding of Codex and the last GPT-3: 50,280 ordinary tokens.
    public static let p50kBase = Encoding("p50k_base", .p50kBase, .gpt2, specials: .p50kBase)

    /// Google's encoding of Gemma 4, of the size of Gemini's: 262,144 tokens.
    public static let gemma = Encoding("gemma", .gemma, .gemma, after: .spaces, specials: .gemma)

    /// Meta's encoding from Llama 3 on: 128,000 ordinary tokens.
    public static let llama3 = Encoding("llama3", .llama3, .llama3, specials: .llama3)

    /// Alibaba's encoding of Qwen 2 and 2.5: 151,643 ordinary tokens.
    public static let qwen2 = Encoding("qwen2", .qwen2, .qwen2, after: .form(.composed), specials: .qwen2)

    /// Anthropic's encoding of Claude 1 and 2: 64,995 ordinary tokens.
    public static let claudeLegacy = Encoding(
        "claude_legacy",
        .claudeLegacy,
        .gpt2,
        after: .form(.compatible),
        specials: .claudeLegacy
    )

    /// Every encoding that the binary carries.
    public static let all: [Encoding] = [
        o200kBase, cl100kBase, p50kBase, gemma, llama3, qwen2, claudeLegacy,
    ]

    /// The tokens that no text exceeds, for each of its bytes in UTF-8.
    ///
    /// A token has a byte at least, but a normal form may have more bytes than the text: three times as many in
    /// NFC, eleven times in NFKC (Unicode FAQ on normalization, "maximum expansion factor").
    public var mostTokensOfAByte: Int {
        switch preparation {
        case .none, .spaces: 1
        case .form(let form): form == .composed ? 3 : 11
        }
    }

    /// The encoding of a name; nil when there is none.
    public static func named(_ name: String) -> Encoding? {
        all.first { $0.name == name }
    }
}

extension Encoding: Equatable {
    /// Names are unique.
    public static func == (left: Encoding, right: Encoding) -> Bool {
        left.name == right.name
    }
}

extension Encoding: CustomStringConvertible {
    public var description: String { name }
}
