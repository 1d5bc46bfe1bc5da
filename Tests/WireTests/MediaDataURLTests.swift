import Testing
import Wire

@Suite("A data URL is taken apart where it lies")
struct MediaDataURLTests {
    /// Reads the contents of the only string of a document.
    private static func read(_ contents: String) throws -> (type: String, data: String) {
        let document = Array("{\"url\":\"\(contents)\"}".utf8)
        let text = JSONText(range: 8..<document.count - 2, hasEscapes: contents.contains("\\"))
        let url = try document.withUnsafeBytes { try DataURL(text, in: $0) }
        #expect(url.base64.range.upperBound == text.range.upperBound)
        #expect(url.base64.hasEscapes == text.hasEscapes)
        return (url.mediaType, String(decoding: document[url.base64.range], as: UTF8.self))
    }

    @Test(
        "its type and its Base64",
        arguments: [
            ("data:image/png;base64,iVBORw0K", "image/png", "iVBORw0K"),
            ("data:image\\/png;base64,a\\/b", "image/png", "a\\/b"),
            ("data:image\\u002fpng;base64,AAAA", "image/png", "AAAA"),
            ("DATA:Image/PNG;BASE64,AAAA", "image/png", "AAAA"),
            ("data:image/svg+xml;charset=utf-8;base64,AAAA", "image/svg+xml", "AAAA"),
            ("data:image/png;name=a;b=c;base64,AAAA", "image/png", "AAAA"),
            ("data:;base64,AAAA", "text/plain", "AAAA"),
            ("data:image/png;base64,", "image/png", ""),
            ("data:image/png;base64,AA,AA", "image/png", "AA,AA"),
            ("data:image/png;base64,not Base64!", "image/png", "not Base64!"),
        ]
    )
    func parts(contents: String, type: String, data: String) throws {
        #expect(try Self.read(contents) == (type, data))
    }

    @Test(
        "what it is not is said",
        arguments: [
            ("", .notDataURL), ("https://a.example/a.png", .notDataURL),
            ("https:\\/\\/a.example\\/a.png", .notDataURL),
            ("data", .notDataURL), (" data:image/png;base64,AAAA", .notDataURL),
            ("dat\\u00e4:,", .notDataURL),
            ("blob:data:image/png;base64,AAAA", .notDataURL), ("iVBORw0K", .notDataURL),
            ("data:", .notBase64), ("data:image/png", .notBase64), ("data:image/png;base64", .notBase64),
            ("data:image/png,AAAA", .notBase64), ("data:,base64,AAAA", .notBase64),
            ("data:image/svg+xml,%3Csvg%3E", .notBase64), ("data:base64,AAAA", .notBase64),
            ("data:image/png;base64;x=y,AAAA", .notBase64), ("data:image/png;base64 ,AAAA", .notBase64),
            ("data:image/png;xbase64,AAAA", .notBase64), ("data:image;base64,AAAA", .notBase64),
            ("data:/png;base64,AAAA", .notBase64), ("data:image/;base64,AAAA", .notBase64),
            ("data:image/png/x;base64,AAAA", .notBase64), ("data:image/p ng;base64,AAAA", .notBase64),
            ("data:image/png;base64\\u002cAAAA", .notBase64),
            ("data:image/png;x=" + String(repeating: "y", count: 300) + ";base64,AAAA", .notBase64),
        ] as [(String, DataURL.Refusal)]
    )
    func refusal(contents: String, refusal: DataURL.Refusal) {
        #expect(throws: refusal) { try Self.read(contents) }
    }
}
