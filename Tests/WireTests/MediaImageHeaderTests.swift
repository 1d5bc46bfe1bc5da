import TestSupport
import Testing
import Wire

@Suite("An image's kind and size come from its first bytes")
struct MediaImageHeaderTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var file: [UInt8]
        var header: ImageHeader?

        init(_ name: String, _ file: [UInt8], _ kind: ImageHeader.Kind, _ width: Int, _ height: Int) {
            testDescription = name
            self.file = file
            header = ImageHeader(kind: kind, width: width, height: height)
        }

        init(_ name: String, _ file: [UInt8]) {
            testDescription = name
            self.file = file
        }
    }

    private static let pngStart: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
    private static let jpegStart: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0x4A, 0x46]
    /// Their markers lie among those of frames.
    private static let tables: [UInt8] = [0xC4, 0xC8, 0xCC].flatMap { [0xFF, $0, 0, 8, 1, 2, 3, 4, 5, 6] }
    private static let frame: [UInt8] = [0, 17, 8, 0x01, 0x02, 0x03, 0x04]

    private static func webP(_ chunk: String, _ body: [UInt8]) -> [UInt8] {
        Array("RIFF".utf8) + [0, 0, 0, 0] + Array(("WEBP" + chunk).utf8) + [0, 0, 0, 0] + body
    }

    private static func bmp(_ header: [UInt8]) -> [UInt8] {
        Array("BM".utf8) + Array(repeating: 0, count: 12) + header
    }

    static let good = [
        Row("PNG", pngStart + Array("IHDR".utf8) + [0, 0, 1, 2, 0, 0, 3, 4], .png, 0x102, 0x304),
        Row("baseline JPEG", jpegStart + [0xFF, 0xC0] + frame, .jpeg, 0x304, 0x102),
        Row(
            "progressive JPEG after tables, a restart and fill bytes",
            jpegStart + tables + [0xFF, 0xD0, 0xFF, 0xFF, 0xC2] + frame,
            .jpeg,
            0x304,
            0x102
        ),
        Row("GIF", Array("GIF87a".utf8) + [0x02, 0x01, 0x04, 0x03], .gif, 0x102, 0x304),
        Row(
            "lossy WebP",
            webP("VP8 ", [0, 0, 0, 0x9D, 0x01, 0x2A, 0x02, 0x41, 0x04, 0x83]),
            .webp,
            0x102,
            0x304
        ),
        Row("lossless WebP", webP("VP8L", [0x2F, 0x01, 0xC1, 0xC0, 0x00]), .webp, 0x102, 0x304),
        Row("extended WebP", webP("VP8X", [0, 0, 0, 0, 1, 1, 0, 3, 3, 0]), .webp, 0x102, 0x304),
        Row("BMP", bmp([40, 0, 0, 0, 0x02, 0x01, 0, 0, 0x04, 0x03, 0, 0]), .bmp, 0x102, 0x304),
        Row("BMP with rows from the top", bmp([40, 0, 0, 0, 2, 0, 0, 0, 0xFC, 255, 255, 255]), .bmp, 2, 4),
        Row("BMP of the oldest kind", bmp([12, 0, 0, 0, 0x02, 0x01, 0x04, 0x03]), .bmp, 0x102, 0x304),
    ]

    static let bad = [
        Row("PNG of no height", pngStart + Array("IHDR".utf8) + [0, 0, 1, 2, 0, 0, 0, 0]),
        Row("PNG without a header chunk", pngStart + Array("IDAT".utf8) + [0, 0, 1, 2, 0, 0, 3, 4]),
        Row("JPEG with its data before any frame", jpegStart + [0xFF, 0xDA] + frame),
        Row("JPEG with a segment of no length", [0xFF, 0xD8, 0xFF, 0xE0, 0, 0, 0xFF, 0xC0] + frame),
        Row("JPEG of tables only", jpegStart + tables + [0xFF, 0xD9] + frame),
        Row("GIF of an unknown version", Array("GIF88a".utf8) + [0x02, 0x01, 0x04, 0x03]),
        Row("lossy WebP without its start code", webP("VP8 ", [0, 0, 0, 0, 0, 0, 2, 0, 4, 0])),
        Row("WebP with an unknown chunk", webP("VP9 ", [0, 0, 0, 0, 1, 1, 0, 3, 3, 0])),
        Row("BMP of negative width", bmp([40, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0])),
        Row("SVG", Array("<svg width='10' height='10'>".utf8)),
        Row("nothing", []),
    ]

    @Test("of a file as a library writes it", arguments: MediaSample.all)
    func sample(_ sample: MediaSample) {
        #expect(ImageHeader(sample.bytes) == sample.header)
        #expect(ImageHeader(base64: sample.base64) == sample.header)
    }

    @Test("by hand", arguments: good + bad)
    func header(_ row: Row) {
        #expect(ImageHeader(row.file) == row.header)
        #expect(ImageHeader(base64: row.file.base64) == row.header)
    }

    @Test("a header that is cut short has no size", arguments: good)
    func truncated(_ row: Row) {
        for length in 0..<row.file.count {
            #expect(ImageHeader(Array(row.file.prefix(length))) == nil, "\(length) bytes")
            #expect(ImageHeader(base64: row.file.prefix(length).map { $0 }.base64) == nil, "\(length) bytes")
        }
    }

    @Test("Base64 says what the bytes say, whatever they are", arguments: 1...40 as ClosedRange<UInt64>)
    func damaged(seed: UInt64) {
        var random = SplitMix(seed: seed)
        for sample in MediaSample.all {
            var file = sample.bytes
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                // Most of what decides lies at the start.
                let end = Bool.random(using: &random) ? min(64, file.count) : file.count
                file[Int.random(in: 0..<end, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            file.removeLast(Int.random(in: 0...3, using: &random))
            let header = ImageHeader(file)
            #expect(header == ImageHeader(base64: file.base64), "\(sample.testDescription)")
            if let header { #expect(header.width > 0 && header.height > 0) }
        }
    }

    @Test("metadata of megabytes before the frame is jumped over")
    func longMetadata() {
        let segment: [UInt8] = [0xFF, 0xE2, 0xFF, 0xFF] + Array(repeating: 0xFF, count: 0xFFFD)
        let file =
            Array(Self.jpegStart + repeatElement(segment, count: 60).joined() + [0xFF, 0xC2]) + Self.frame
        #expect(ImageHeader(base64: file.base64) == ImageHeader(kind: .jpeg, width: 0x304, height: 0x102))
    }

    @Test("a file that goes on about nothing is given up", arguments: [16_000, 17_000])
    func boundedReading(fill: Int) {
        let file = Self.jpegStart + Array(repeating: 0xFF, count: fill / 2) + [0xFF, 0xC0] + Self.frame
        #expect((ImageHeader(file) != nil) == (fill < ImageHeader.mostBytes))
    }
}
