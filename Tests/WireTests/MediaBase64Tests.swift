import Testing
import Wire

@Suite("An image's header is read out of the text that carries it")
struct MediaBase64Tests {
    private static let heic = MediaSample.all[9]

    static let carriers: [(name: String, text: @Sendable (String) -> String)] = [
        ("bare", { $0 }),
        ("data URL", { "data:image/png;base64," + $0 }),
        ("data URL in capitals", { "DATA:;BASE64," + $0 }),
        ("data URL with parameters", { "data:image/png;name=a.png;charset=utf-8;base64," + $0 }),
        ("URL-safe alphabet", { String($0.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }) }),
        ("without padding", { String($0.filter { $0 != "=" }) }),
        ("escaped slashes", { ("data:image/png;base64," + $0).replacing("/", with: "\\/") }),
        ("one escaped slash", { "data:image\\/png;base64," + $0 }),
        ("escaped plus", { $0.replacing("+", with: "\\u002B") }),
        (
            "broken into lines",
            { "data:image/png;base64,\\r\\n" + String($0.prefix(40)) + "\\n \\t" + $0.dropFirst(40) }
        ),
    ]

    @Test("however it is written", arguments: carriers.indices, MediaSample.all)
    func carrier(index: Int, sample: MediaSample) {
        #expect(ImageHeader(json: Self.carriers[index].text(sample.base64)) == sample.header)
    }

    @Test(
        "what is no image has no header",
        arguments: [
            "", "d", "data:", "data:image/png;base64,", "data:image/png;base64", "https://a.example/a.png",
            "https:\\/\\/a.example\\/a.png", "data:image/svg+xml,%3Csvg%3E", "R0lGODlh*****", "iVBORw0KGgo",
        ]
    )
    func noImage(text: String) {
        #expect(ImageHeader(json: text) == nil)
    }

    @Test("a comma far behind the start is not looked for")
    func longType() {
        let type = String(repeating: "a", count: 300)
        #expect(ImageHeader(json: "data:\(type);base64," + Self.heic.base64) == nil)
    }

    @Test("of a text with escapes a bounded start is decoded", arguments: [(1, true), (2, false)])
    func escaped(segments: Int, isFound: Bool) {
        let segment: [UInt8] = [0xFF, 0xE2, 0xFF, 0xFF] + Array(repeating: 0xFF, count: 0xFFFD)
        let start: [UInt8] = [0xFF, 0xD8]
        let frame: [UInt8] = [0xFF, 0xC0, 0, 17, 8, 0, 2, 0, 3]
        let file = start + Array(repeatElement(segment, count: segments).joined()) + frame
        #expect((ImageHeader(json: "data:image\\/jpeg;base64," + file.base64) != nil) == isFound)
    }
}
