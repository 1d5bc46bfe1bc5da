import Testing
import Wire

@Suite("The size of a HEIF file is that of its primary item")
struct MediaHEIFTests {
    private static let size = (width: 300, height: 200)

    @Test(
        "the brands name the kind",
        arguments: [
            (MediaBox.brands("avif", "mif1", "miaf"), .avif), (MediaBox.brands("mif1", "avif"), .avif),
            (MediaBox.brands("avis"), .avif), (MediaBox.brands("heic", "mif1"), .heic),
            (MediaBox.brands("mif1", "miaf", "heix"), .heic), (MediaBox.brands("mif1"), .heif),
            (MediaBox.brands("isom", "mp41"), nil), (MediaBox.box("ftyp", Array("avif".utf8)), nil),
            (MediaBox.box("free", Array("avif".utf8) + MediaBox.big(0, 4)), nil),
        ] as [([UInt8], ImageHeader.Kind?)]
    )
    func brand(start: [UInt8], kind: ImageHeader.Kind?) {
        let header = kind.map { ImageHeader(kind: $0, width: Self.size.width, height: Self.size.height) }
        #expect(ImageHeader(start + MediaBox.meta) == header)
    }

    static let layouts: [(name: String, file: [UInt8])] = [
        ("image data first", MediaBox.box("mdat", Array(repeating: 7, count: 50_000)) + MediaBox.meta),
        ("image data of a long size first", MediaBox.longBox("mdat", [1, 2, 3]) + MediaBox.meta),
        ("a long meta box", MediaBox.longBox("meta", [0, 0, 0, 0] + MediaBox.metaBody())),
        (
            "a meta box to the end",
            MediaBox.big(0, 4) + Array("meta".utf8) + [0, 0, 0, 0] + MediaBox.metaBody()
        ),
        (
            "numbers of four bytes",
            MediaBox.fullBox(
                "meta",
                MediaBox.metaBody(
                    pitm: MediaBox.fullBox("pitm", version: 1, MediaBox.big(2, 4)),
                    ipma: MediaBox.fullBox(
                        "ipma",
                        version: 1,
                        MediaBox.big(2, 4) + MediaBox.big(1, 4) + [1, 2] + MediaBox.big(2, 4) + [1, 3]
                    )
                )
            )
        ),
        (
            "indices of two bytes",
            MediaBox.fullBox(
                "meta",
                MediaBox.metaBody(
                    ipma: MediaBox.fullBox(
                        "ipma",
                        flags: 1,
                        MediaBox.big(2, 4) + [0, 1, 1, 0x80, 2] + [0, 2, 2, 0, 1, 0x80, 3]
                    )
                )
            )
        ),
        (
            "two association boxes",
            MediaBox.fullBox(
                "meta",
                MediaBox.metaBody(
                    ipma: MediaBox.fullBox("ipma", MediaBox.big(1, 4) + [0, 1, 1, 2])
                        + MediaBox.fullBox("ipma", MediaBox.big(1, 4) + [0, 2, 1, 3])
                )
            )
        ),
    ]

    @Test("wherever its boxes lie", arguments: layouts.indices)
    func layout(index: Int) {
        let file = MediaBox.brands("mif1", "heic") + Self.layouts[index].file
        let header = ImageHeader(kind: .heic, width: Self.size.width, height: Self.size.height)
        #expect(ImageHeader(file) == header, "\(Self.layouts[index].name)")
        #expect(ImageHeader(base64: file.base64) == header, "\(Self.layouts[index].name)")
    }

    @Test(
        "without a primary item or its size there is none",
        arguments: [
            MediaBox.metaBody(pitm: []),
            MediaBox.metaBody(pitm: MediaBox.fullBox("pitm", MediaBox.big(3, 2))),
            MediaBox.metaBody(ipma: []),
            MediaBox.metaBody(ipma: MediaBox.fullBox("ipma", MediaBox.big(1, 4) + [0, 2, 1, 1])),
            MediaBox.metaBody(ipma: MediaBox.fullBox("ipma", MediaBox.big(-1, 4))), [],
        ]
    )
    func incomplete(body: [UInt8]) {
        #expect(ImageHeader(MediaBox.brands("heic") + MediaBox.fullBox("meta", body)) == nil)
    }

    @Test(
        "a box whose size cannot be is the end",
        arguments: [
            MediaBox.big(7, 4), MediaBox.big(1, 4) + Array("mdat".utf8) + MediaBox.big(15, 8),
            MediaBox.big(1, 4) + Array("mdat".utf8) + MediaBox.big(-1, 8),
            MediaBox.big(1, 4) + Array("mdat".utf8) + MediaBox.big(.max, 8),
        ]
    )
    func impossibleSize(box: [UInt8]) {
        #expect(ImageHeader(MediaBox.brands("heic") + box + MediaBox.meta) == nil)
    }

    static let apertures: [(terms: [Int], width: Int, height: Int)] = [
        ([299, 1, 199, 1], 299, 199), ([598, 2, 398, 2], 299, 199), ([301, 1, 199, 1], 300, 199),
        ([0, 1, 199, 1], 300, 200), ([299, 0, 199, 1], 300, 200), ([299, 1, 199, 0], 300, 200),
        ([299, 1, 199], 300, 200),
    ]

    @Test("a clean aperture cuts it", arguments: apertures)
    func aperture(terms: [Int], width: Int, height: Int) {
        let body = MediaBox.metaBody(
            ipma: MediaBox.fullBox("ipma", MediaBox.big(1, 4) + [0, 2, 2, 0x84, 3]),
            fourth: MediaBox.box("clap", terms.flatMap { MediaBox.big($0, 4) })
        )
        let file = MediaBox.brands("heic") + MediaBox.fullBox("meta", body)
        #expect(ImageHeader(file) == ImageHeader(kind: .heic, width: width, height: height))
    }

    @Test("a file of thousands of boxes is given up", arguments: [(1_500, true), (2_500, false)])
    func manyBoxes(count: Int, isFound: Bool) {
        let free = Array(repeatElement(MediaBox.box("free", []), count: count).joined())
        #expect((ImageHeader(MediaBox.brands("heic") + free + MediaBox.meta) != nil) == isFound)
    }

    @Test("thousands of brands are not all read")
    func manyBrands() {
        let brands = Array(repeating: Array("miaf".utf8), count: 5_000).flatMap { $0 }
        let start = MediaBox.box("ftyp", Array("mif1".utf8) + MediaBox.big(0, 4) + brands)
        #expect(ImageHeader(start + MediaBox.meta)?.kind == .heif)
    }
}
