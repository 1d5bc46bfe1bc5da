import TestSupport
import Testing
import TokenCount

@Suite("An image's size comes from its first bytes")
struct PixelSizeTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var kind: String
        var header: [UInt8]
        var size: PixelSize?

        init(_ kind: String, _ header: [UInt8], _ size: (Int, Int)?) {
            self.kind = kind
            self.header = header
            self.size = size.map { PixelSize(width: $0.0, height: $0.1) }
        }

        var testDescription: String { kind }
    }

    private static let pngStart: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
    private static let jpegStart: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0x4A, 0x46]
    private static let frame: [UInt8] = [0, 17, 8, 0x01, 0x02, 0x03, 0x04]

    private static func webP(_ chunk: String, _ body: [UInt8]) -> [UInt8] {
        Array("RIFF".utf8) + [0, 0, 0, 0] + Array(("WEBP" + chunk).utf8) + [0, 0, 0, 0] + body
    }

    private static func bmp(_ header: [UInt8]) -> [UInt8] {
        Array("BM".utf8) + Array(repeating: 0, count: 12) + header
    }

    static let rows = [
        Row("PNG", pngStart + Array("IHDR".utf8) + [0, 0, 1, 2, 0, 0, 3, 4], (0x102, 0x304)),
        Row("PNG of no height", pngStart + Array("IHDR".utf8) + [0, 0, 1, 2, 0, 0, 0, 0], nil),
        Row("PNG without a header chunk", pngStart + Array("IDAT".utf8) + [0, 0, 1, 2, 0, 0, 3, 4], nil),
        Row("baseline JPEG", jpegStart + [0xFF, 0xC0] + frame, (0x304, 0x102)),
        Row(
            "progressive JPEG after tables and fill bytes",
            jpegStart + [0xFF, 0xC4, 0, 3, 9, 0xFF, 0xFF, 0xC2] + frame,
            (0x304, 0x102)
        ),
        Row("JPEG with its data before any frame", jpegStart + [0xFF, 0xDA] + frame, nil),
        Row("JPEG with a segment of no length", [0xFF, 0xD8, 0xFF, 0xE0, 0, 0, 0xFF, 0xC0] + frame, nil),
        Row("GIF", Array("GIF89a".utf8) + [0x02, 0x01, 0x04, 0x03], (0x102, 0x304)),
        Row("lossy WebP", webP("VP8 ", [0, 0, 0, 0x9D, 0x01, 0x2A, 0x02, 0x41, 0x04, 0x83]), (0x102, 0x304)),
        Row("lossless WebP", webP("VP8L", [0x2F, 0x01, 0xC1, 0xC0, 0x00]), (0x102, 0x304)),
        Row("extended WebP", webP("VP8X", [0, 0, 0, 0, 0x01, 0x01, 0, 0x03, 0x03, 0]), (0x102, 0x304)),
        Row("BMP", bmp([40, 0, 0, 0, 0x02, 0x01, 0, 0, 0x04, 0x03, 0, 0]), (0x102, 0x304)),
        Row("BMP with rows from the top", bmp([40, 0, 0, 0, 2, 0, 0, 0, 0xFC, 0xFF, 0xFF, 0xFF]), (2, 4)),
        Row("BMP of the oldest kind", bmp([12, 0, 0, 0, 0x02, 0x01, 0x04, 0x03]), (0x102, 0x304)),
        Row("BMP of negative width", bmp([40, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0]), nil),
        Row("SVG", Array("<svg width='10' height='10'>".utf8), nil),
        Row("nothing", [], nil),
    ]

    @Test("by kind", arguments: rows)
    func size(_ row: Row) {
        #expect(PixelSize.of(header: row.header) == row.size)
    }

    @Test("a header that is cut short has no size", arguments: rows.filter { $0.size != nil })
    func truncated(_ row: Row) {
        for length in 0..<row.header.count {
            #expect(PixelSize.of(header: Array(row.header.prefix(length))) == nil, "\(length) bytes")
        }
    }
}

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
        (.claude, 1568, 1568, .high, 1568),
        (.claude, 3136, 280, .auto, 280),
        (.claude47, 3136, 280, .auto, 828),
        (.claude47, 9000, 9000, .auto, 4784),
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
