/// How a provider charges for an image, by the formula that it documents.
///
/// The raw value is the name in the configuration. OpenAI's figures are those of *Images and vision*,
/// "Calculating costs" (platform.openai.com/docs/guides/images-vision); people have seen other ones on their
/// invoices.
public enum ImageRule: String, CaseIterable, Sendable {
    /// GPT-4o, 4.1 and 4.5: 85, and for high detail 170 a tile.
    case openAI = "openai"
    /// GPT-5: 70, and for high detail 140 a tile.
    case gpt5
    /// GPT-4o mini: 2833, and for high detail 5667 a tile.
    case gpt4oMini = "gpt4o_mini"
    /// o1 and o3: 75, and for high detail 150 a tile.
    case o3
    /// A token for every patch of 32 px, at most 1536: the formula before a model's multiplier.
    case openAIPatches = "openai_patches"
    /// GPT-4.1 mini and GPT-5 mini: 1.62 tokens a patch.
    case gpt5Mini = "gpt5_mini"
    /// GPT-4.1 nano and GPT-5 nano: 2.46 tokens a patch.
    case gpt5Nano = "gpt5_nano"
    /// o4-mini: 1.72 tokens a patch.
    case o4Mini = "o4_mini"
    /// A token for every 28 × 28 px after fitting 1568 px, at most 1568 tokens.
    ///
    /// Claude before 4.7 (platform.claude.com/docs/en/build-with-claude/vision).
    case claude
    /// The same from Claude 4.7 on, after fitting 2576 px, at most 4784 tokens.
    case claude47 = "claude4.7"
    /// A token for every 750 px after fitting 1568 px, at most 1600 tokens.
    ///
    /// Earlier editions of the same page, such as docs.anthropic.com/en/docs/vision.
    case claudeLegacy = "claude_legacy"
    /// 258 for an image of no more than 384 px, else 258 a tile of 768 px.
    ///
    /// Gemini 2 (ai.google.dev/gemini-api/docs/tokens). Larger images are first scaled down to 3072 px
    /// (firebase.google.com/docs/vertex-ai/input-file-requirements).
    case gemini2
    /// 1120 for an image of any size, or what the media resolution says: 280, 560, 1120 or 2240.
    ///
    /// Gemini 3 (ai.google.dev/gemini-api/docs/media-resolution).
    case gemini3

    /// How closely the client asks an image to be looked at.
    ///
    /// The raw value is that of `image_url.detail`. LiteLLM makes Gemini 3's media resolution of it.
    public enum Detail: String, CaseIterable, Sendable {
        case low, medium, high
        case ultraHigh = "ultra_high"
        /// Nothing was asked for. OpenAI's tiles are then counted as low, as LiteLLM does.
        case auto
    }

    /// Stands for an image whose size cannot be seen, such as one behind a URL.
    public static let assumedSize = PixelSize(width: 1024, height: 1024)

    /// The tokens of one image.
    ///
    /// - Parameters:
    ///   - size: nil when unknown; then ``assumedSize``. Sides are taken as 1 px at least and 2²⁴ px at most.
    ///   - detail: of no matter to Claude, Gemini 2 and OpenAI's patches.
    public func tokens(for size: PixelSize?, detail: Detail = .auto) -> Int {
        formula.tokens(for: (size ?? Self.assumedSize).clamped, detail: detail)
    }

    /// What no image exceeds, whatever its size and detail.
    public var mostTokens: Int { formula.mostTokens }

    private var formula: ImageFormula {
        switch self {
        case .openAI: .tiles(base: 85, each: 170)
        case .gpt5: .tiles(base: 70, each: 140)
        case .gpt4oMini: .tiles(base: 2833, each: 5667)
        case .o3: .tiles(base: 75, each: 150)
        case .openAIPatches: .patches(hundredths: 100)
        case .gpt5Mini: .patches(hundredths: 162)
        case .gpt5Nano: .patches(hundredths: 246)
        case .o4Mini: .patches(hundredths: 172)
        case .claude: .cells(longestSide: 1568, most: 1568)
        case .claude47: .cells(longestSide: 2576, most: 4784)
        case .claudeLegacy: .area(longestSide: 1568, most: 1600)
        case .gemini2: .crops(each: 258)
        case .gemini3: .resolutions(low: 280, medium: 560, high: 1120, ultraHigh: 2240)
        }
    }
}
