import TestSupport
import Testing
import TokenCount

@Suite("An image costs what the pages of its provider say")
struct ImageRuleTableTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var rule: ImageRule
        var width: Int
        var height: Int
        var detail: ImageRule.Detail
        var tokens: Int

        init(_ rule: ImageRule, _ width: Int, _ height: Int, _ detail: ImageRule.Detail, _ tokens: Int) {
            self.rule = rule
            self.width = width
            self.height = height
            self.detail = detail
            self.tokens = tokens
        }

        var testDescription: String { "\(rule.rawValue) \(width) × \(height) \(detail.rawValue)" }
    }

    /// The examples that the pages spell out.
    static let documented = [
        Row(.openAI, 1024, 1024, .high, 765),
        Row(.openAI, 2048, 4096, .high, 1105),
        Row(.openAI, 4096, 8192, .low, 85),
        Row(.openAIPatches, 1024, 1024, .high, 1024),
        Row(.openAIPatches, 1800, 2400, .high, 1452),
        Row(.claudeLegacy, 200, 200, .auto, 54),
        Row(.claudeLegacy, 1000, 1000, .auto, 1334),
        Row(.claudeLegacy, 1092, 1092, .auto, 1590),
        Row(.gemini2, 384, 384, .auto, 258),
        Row(.gemini3, 4000, 3000, .auto, 1120),
        Row(.gemini3, 4000, 3000, .low, 280),
        Row(.gemini3, 4000, 3000, .medium, 560),
        Row(.gemini3, 4000, 3000, .high, 1120),
        Row(.gemini3, 4000, 3000, .ultraHigh, 2240),
    ]

    /// Figures that people have published from their invoices, less the text around the image.
    static let measured = [
        Row(.gpt4oMini, 128, 64, .low, 2833),
        Row(.gpt4oMini, 128, 64, .high, 8500),
        Row(.o3, 128, 64, .high, 225),
        Row(.openAI, 2049, 513, .high, 1445),
        Row(.openAI, 2050, 513, .high, 765),
        Row(.claude, 256, 256, .auto, 100),
        Row(.claude, 512, 512, .auto, 361),
        Row(.claude, 768, 768, .auto, 784),
        Row(.claude, 1024, 1024, .auto, 1369),
        Row(.claude, 1280, 720, .auto, 1196),
        Row(.claude, 1920, 1080, .auto, 1560),
        Row(.claude47, 1920, 1080, .auto, 2691),
        Row(.gemini2, 1980, 1380, .auto, 1548),
    ]

    /// By hand, at the edges of the formulas.
    static let edges = [
        Row(.openAI, 512, 512, .high, 255),
        Row(.openAI, 513, 512, .high, 425),
        Row(.openAI, 2048, 768, .ultraHigh, 1445),
        Row(.gpt5, 1024, 1024, .high, 630),
        Row(.gpt5, 1024, 1024, .auto, 70),
        Row(.openAIPatches, 32, 33, .auto, 2),
        Row(.openAIPatches, 2048, 768, .auto, 1536),
        Row(.openAIPatches, 100_000, 10, .auto, 1536),
        Row(.gpt5Mini, 1800, 2400, .auto, 2353),
        Row(.gpt5Nano, 1024, 1024, .auto, 2520),
        Row(.o4Mini, 32, 32, .auto, 2),
        Row(.claude, 28, 28, .auto, 1),
        Row(.claude, 1092, 1092, .auto, 1521),
        Row(.claude, 1093, 1093, .auto, 1521),
        Row(.claude, 4032, 3024, .auto, 1564),
        Row(.claude, 1, 1_000_000, .auto, 56),
        Row(.claude47, 8000, 8000, .auto, 4761),
        Row(.claudeLegacy, 1, 1, .auto, 1),
        Row(.claudeLegacy, 8000, 8000, .auto, 1600),
        Row(.claudeLegacy, 3136, 200, .auto, 210),
        Row(.gemini2, 768, 768, .auto, 258),
        Row(.gemini2, 769, 769, .auto, 1032),
        Row(.gemini2, 30_000, 30_000, .auto, 4128),
        Row(.gemini3, 1, 1, .auto, 1120),
    ]

    @Test("examples of the pages", arguments: documented)
    func documentedExample(_ row: Row) { check(row) }

    @Test("figures of invoices", arguments: measured)
    func measuredFigure(_ row: Row) { check(row) }

    @Test("edges of the formulas", arguments: edges)
    func edge(_ row: Row) { check(row) }

    private func check(_ row: Row) {
        let size = PixelSize(width: row.width, height: row.height)
        #expect(row.rule.tokens(for: size, detail: row.detail) == row.tokens)
    }

    @Test("a side that no image has still counts", arguments: ImageRule.allCases, ImageRule.Detail.allCases)
    func impossibleSizes(rule: ImageRule, detail: ImageRule.Detail) {
        let sides = [Int.min, -1, 0, 1, Int(UInt32.max), Int.max]
        for width in sides {
            for height in sides {
                let tokens = rule.tokens(for: PixelSize(width: width, height: height), detail: detail)
                #expect((1...rule.mostTokens).contains(tokens), "\(width) × \(height)")
            }
        }
    }

    @Test("the largest count is reached by some image and exceeded by none", arguments: ImageRule.allCases)
    func mostTokens(rule: ImageRule) {
        var random = SplitMix(seed: 4)
        var sizes = [(2048, 768), (3072, 3072), (1568, 784), (1568, 1568), (2576, 1456)]
        for _ in 0..<20_000 {
            sizes.append((Int.random(in: 1...5000, using: &random), Int.random(in: 1...5000, using: &random)))
        }
        let counts = sizes.map { size in
            rule.tokens(for: PixelSize(width: size.0, height: size.1), detail: .ultraHigh)
        }
        #expect(counts.max() == rule.mostTokens)
    }

    @Test("width and height may be exchanged", arguments: 1...8 as ClosedRange<UInt64>)
    func turning(seed: UInt64) {
        var random = SplitMix(seed: seed)
        for _ in 0..<200 {
            let (long, short) = (
                Int.random(in: 1...9000, using: &random), Int.random(in: 1...9000, using: &random)
            )
            for rule in ImageRule.allCases {
                #expect(
                    rule.tokens(for: PixelSize(width: long, height: short), detail: .high)
                        == rule.tokens(for: PixelSize(width: short, height: long), detail: .high),
                    "\(rule.rawValue) \(long) × \(short)"
                )
            }
        }
    }

    @Test("every rule is found by its name in the configuration")
    func names() {
        #expect(
            ImageRule.allCases.map(\.rawValue) == [
                "openai", "gpt5", "gpt4o_mini", "o3", "openai_patches", "gpt5_mini", "gpt5_nano", "o4_mini",
                "claude", "claude4.7", "claude_legacy", "gemini2", "gemini3",
            ]
        )
    }
}
