import ObjectStore
import TestSupport
import Testing

@Suite("An object's name is the digest of its bytes")
struct ObjectNameTests {
    @Test("of SHA-256, however the bytes are cut", arguments: 0...3)
    func digest(cut: Int) {
        let text = Array("abc".utf8)
        var hasher = ContentHasher()
        text[..<cut].withUnsafeBytes { hasher.update($0) }
        text[cut...].withUnsafeBytes { hasher.update($0) }

        #expect(hasher.finalize().hexadecimal == Sample.digits)
        #expect(text.withUnsafeBytes { ContentDigest(of: $0) } == hasher.finalize())
    }

    @Test(
        "with the extension and the type of its kind",
        arguments: [
            ("png", "image/png"), ("jpg", "image/jpeg"), ("gif", "image/gif"), ("webp", "image/webp"),
            ("bmp", "image/bmp"), ("avif", "image/avif"), ("heic", "image/heic"),
        ]
    )
    func formats(suffix: String, type: String) throws {
        let name = try #require(ObjectName(key: "ba/\(Sample.digits).\(suffix)"))

        #expect(name.format.contentType == type)
        #expect(name.digest.hexadecimal == Sample.digits)
        #expect(name.key == "ba/\(Sample.digits).\(suffix)")
        #expect(name.fileName == "\(Sample.digits).\(suffix)")
        #expect(ObjectName(fileName: name.fileName) == name)
        #expect(ImageFormat.allCases.count == 7)
    }

    static let foreign: [(why: String, key: String)] = [
        ("nothing", ""),
        ("no folder", "\(Sample.digits).png"),
        ("another folder", "bb/\(Sample.digits).png"),
        ("a slash before", "/ba/\(Sample.digits).png"),
        ("a slash behind", "ba/\(Sample.digits).png/"),
        ("two slashes", "ba//\(Sample.digits).png"),
        ("a step up", "ba/../ba/\(Sample.digits).png"),
        ("a step up behind", "ba/\(Sample.digits).png/.."),
        ("a backslash", "ba\\\(Sample.digits).png"),
        ("an encoded slash", "ba%2f\(Sample.digits).png"),
        ("an encoded digit", "ba/%62\(Sample.digits.dropFirst()).png"),
        ("upper case", "BA/\(Sample.digits.uppercased()).png"),
        ("one digit in upper case", "ba/\(Sample.digits.dropLast())D.png"),
        ("no hexadecimal digit", "ba/\(Sample.digits.dropLast())g.png"),
        ("a digit too few", "ba/\(Sample.digits.dropLast()).png"),
        ("a digit too many", "ba/\(Sample.digits)0.png"),
        ("digits of another script", "ba/\(Sample.digits.dropLast())５.png"),
        ("no extension", "ba/\(Sample.digits)"),
        ("an empty extension", "ba/\(Sample.digits)."),
        ("an extension in upper case", "ba/\(Sample.digits).PNG"),
        ("another spelling of an extension", "ba/\(Sample.digits).jpeg"),
        ("an extension that runs scripts", "ba/\(Sample.digits).svg"),
        ("an extension that goes on", "ba/\(Sample.digits).pngx"),
        ("two extensions", "ba/\(Sample.digits).png.html"),
        ("a zero byte", "ba/\(Sample.digits).png\0"),
        ("a line feed", "ba/\(Sample.digits).png\n"),
        ("a combining mark", "ba/\(Sample.digits).png\u{301}"),
        ("a space before", " ba/\(Sample.digits).png"),
        ("a query", "ba/\(Sample.digits).png?x"),
    ]

    @Test("nothing else is one", arguments: foreign)
    func isNoName(why: String, key: String) {
        #expect(ObjectName(key: key) == nil)
        #expect(ObjectName(fileName: key.dropFirst(3)) == nil || key.count != 71 || !key.hasPrefix("ba/"))
    }

    @Test("no change of one byte leaves the name", arguments: 0..<71)
    func mutation(place: Int) throws {
        let key = Array("ba/\(Sample.digits).png".utf8)
        let name = ObjectName(key: "ba/\(Sample.digits).png")
        for byte in Sample.otherBytes(than: key[place]) {
            var changed = key
            changed[place] = byte
            let text = String(decoding: changed, as: UTF8.self)
            guard let other = ObjectName(key: text) else { continue }
            #expect(other != name && other.key == text)
        }
    }
}
