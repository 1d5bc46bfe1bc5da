/// The shapes that the providers' formulas have.
enum ImageFormula {
    /// OpenAI: tiles of 512 px after fitting into 2048 × 2048 and then to a shortest side of 768 px.
    case tiles(base: Int, each: Int)
    /// OpenAI: patches of 32 px, at most 1536, times a factor, rounded up.
    case patches(hundredths: Int)
    /// Claude: cells of 28 px.
    case cells(longestSide: Int, most: Int)
    /// Claude, as documented earlier: the area by 750 px, rounded up.
    case area(longestSide: Int, most: Int)
    /// Gemini 2: tiles of 768 px; one for an image of no more than 384 px.
    case crops(each: Int)
    /// Gemini 3: by the media resolution alone.
    case resolutions(low: Int, medium: Int, high: Int, ultraHigh: Int)

    func tokens(for size: PixelSize, detail: ImageRule.Detail) -> Int {
        switch self {
        case .tiles(let base, let each):
            detail == .low || detail == .auto ? base : base + each * Self.tiles(in: size)
        case .patches(let hundredths):
            Self.scaled(Self.patches(in: size), hundredths)
        case .cells(let longestSide, let most):
            size.fitting(longestSide: longestSide, tiles: most, of: 28).tiles(of: 28)
        case .area(let longestSide, let most):
            min(most, (size.fitting(longestSide: longestSide).area + 749) / 750)
        case .crops(let each):
            each * (max(size.width, size.height) <= 384 ? 1 : size.fitting(longestSide: 3072).tiles(of: 768))
        case .resolutions(let low, let medium, let high, let ultraHigh):
            switch detail {
            case .low: low
            case .medium: medium
            case .high, .auto: high
            case .ultraHigh: ultraHigh
            }
        }
    }

    /// What no image exceeds.
    var mostTokens: Int {
        switch self {
        // 2048 × 768 px are 4 × 2 tiles.
        case .tiles(let base, let each): base + 8 * each
        case .patches(let hundredths): Self.scaled(Self.mostPatches, hundredths)
        case .cells(_, let most), .area(_, let most): most
        // 3072 × 3072 px are 4 × 4 tiles.
        case .crops(let each): 16 * each
        case .resolutions(_, _, _, let ultraHigh): ultraHigh
        }
    }

    private static let mostPatches = 1536

    /// Never enlarges.
    private static func tiles(in size: PixelSize) -> Int {
        size.fitting(longestSide: 2048).fitting(shortestSide: 768).tiles(of: 512)
    }

    /// An image with too many patches is shrunk to the area of 1536, and then on to a whole number of them in
    /// the side that loses more by it.
    private static func patches(in size: PixelSize) -> Int {
        let patches = size.tiles(of: 32)
        guard patches > mostPatches else { return patches }
        let (width, height) = (Double(size.width) / 32, Double(size.height) / 32)
        let shrink = (Double(mostPatches) / (width * height)).squareRoot()
        let (columns, rows) = (width * shrink, height * shrink)
        let whole = min(max(1, columns.rounded(.down)) / columns, max(1, rows.rounded(.down)) / rows)
        // Whole pixels first: 33 patches may come out as 33.000000000000004.
        let resized = PixelSize(
            width: max(1, Int((columns * whole * 32).rounded())),
            height: max(1, Int((rows * whole * 32).rounded()))
        )
        return min(mostPatches, resized.tiles(of: 32))
    }

    private static func scaled(_ patches: Int, _ hundredths: Int) -> Int {
        (patches * hundredths + 99) / 100
    }
}
