/// How a provider charges for an image, by the formula that it documents.
///
/// The raw value is the name in the configuration.
public enum ImageRule: String, CaseIterable, Sendable {
    /// 85, and for high detail 170 a tile (platform.openai.com/docs/guides/images-vision, GPT-4o).
    case openAI = "openai"
    /// 70, and for high detail 140 a tile (the same page, GPT-5).
    case gpt5
    /// A token for every 28 × 28 px after fitting 1568 px, at most 1568 tokens (docs.claude.com, Vision).
    case claude
    /// The same from Claude 4.7 on, after fitting 2576 px, at most 4784 tokens.
    case claude47 = "claude4.7"
    /// 258 for a small image, else 258 a tile of 768 px (ai.google.dev, Understand and count tokens).
    case gemini2
    /// 1120 for any image at the default media resolution (ai.google.dev, Media resolution).
    case gemini3

    /// How closely the client asks an image to be looked at; only OpenAI's rules know the difference.
    public enum Detail: String, Sendable {
        case low, high
        /// Counted as low, as LiteLLM does.
        case auto
    }

    /// Stands for an image whose size cannot be seen, such as one behind a URL.
    public static let assumedSize = PixelSize(width: 1024, height: 1024)

    /// The tokens of one image.
    ///
    /// - Parameter size: nil when unknown; then ``assumedSize``.
    public func tokens(for size: PixelSize?, detail: Detail = .auto) -> Int {
        let size = size ?? Self.assumedSize
        return switch self {
        case .openAI: 85 + (detail == .high ? 170 * Self.tilesOf512(in: size) : 0)
        case .gpt5: 70 + (detail == .high ? 140 * Self.tilesOf512(in: size) : 0)
        case .claude: min(1568, size.fitting(longestSide: 1568).tiles(of: 28))
        case .claude47: min(4784, size.fitting(longestSide: 2576).tiles(of: 28))
        case .gemini2: 258 * (max(size.width, size.height) <= 384 ? 1 : size.tiles(of: 768))
        case .gemini3: 1120
        }
    }

    /// Tiles of 512 px after OpenAI's resizing: into 2048 × 2048, then to a shortest side of 768 px.
    ///
    /// Never enlarges.
    private static func tilesOf512(in size: PixelSize) -> Int {
        size.fitting(longestSide: 2048).fitting(shortestSide: 768).tiles(of: 512)
    }
}

extension PixelSize {
    /// Scaled down, with its proportions, until no side is longer.
    func fitting(longestSide limit: Int) -> PixelSize {
        scaled(by: limit, over: max(width, height))
    }

    /// Scaled down, with its proportions, until the shorter side is no longer than the limit.
    func fitting(shortestSide limit: Int) -> PixelSize {
        scaled(by: limit, over: min(width, height))
    }

    /// How many squares cover it.
    func tiles(of side: Int) -> Int {
        ((width + side - 1) / side) * ((height + side - 1) / side)
    }

    /// Whole pixels, rounded down, at least one.
    private func scaled(by limit: Int, over side: Int) -> PixelSize {
        guard side > limit else { return self }
        return PixelSize(width: max(1, width * limit / side), height: max(1, height * limit / side))
    }
}
