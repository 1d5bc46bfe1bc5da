import Testing
import TokenCount

@Suite("An image costs what its provider documents")
struct ImageRuleTests {
    static let rows: [(rule: ImageRule, width: Int, height: Int, detail: ImageRule.Detail, tokens: Int)] = [
        (.openAI, 1024, 1024, .high, 765),
        (.openAI, 2048, 4096, .high, 1105),
        (.openAI, 4096, 8192, .low, 85),
        (.openAI, 4096, 8192, .auto, 85),
        (.openAI, 512, 512, .high, 255),
        (.openAI, 513, 100, .high, 425),
        (.openAI, 100_000, 1, .high, 765),
        (.gpt5, 1024, 1024, .high, 630),
        (.gpt5, 1024, 1024, .low, 70),
        (.claude, 1000, 1000, .auto, 1296),
        (.claude, 28, 29, .auto, 2),
        (.claude, 1568, 1568, .high, 1521),
        (.claude, 3136, 280, .auto, 280),
        (.claude47, 3136, 280, .auto, 828),
        (.claude47, 9000, 9000, .auto, 4761),
        (.gemini2, 384, 384, .auto, 258),
        (.gemini2, 385, 10, .auto, 258),
        (.gemini2, 769, 768, .auto, 516),
        (.gemini3, 10, 10_000, .auto, 1120),
    ]

    @Test("by rule, size and detail", arguments: rows)
    func tokens(rule: ImageRule, width: Int, height: Int, detail: ImageRule.Detail, tokens: Int) {
        #expect(rule.tokens(for: PixelSize(width: width, height: height), detail: detail) == tokens)
    }

    @Test("an image of unknown size counts as the assumed one", arguments: ImageRule.allCases)
    func unknownSize(rule: ImageRule) {
        #expect(
            rule.tokens(for: nil, detail: .high) == rule.tokens(for: ImageRule.assumedSize, detail: .high)
        )
    }
}
