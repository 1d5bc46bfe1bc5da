import Foundation
import NIOCore
import ObjectStore
import TestSupport
import Testing

@testable import Sidecar

@Suite("An image is checked and named by what its Base64 stands for")
struct MediaContentTests {
    private func decoded(_ content: MediaContent) throws -> [UInt8] {
        var pieces = content.pieces
        var bytes: [UInt8] = []
        while let piece = try pieces.next() {
            #expect(piece.readableBytes <= MediaPieces.textBytes)
            bytes += piece.readableBytesView
        }
        #expect(try pieces.next() == nil)
        return bytes
    }

    @Test("pieces make up the image, whatever its size", arguments: 0..<12)
    func pieces(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let edges = [29, 196_607, 196_608, 196_609, 393_216]
        let size = seed < edges.count ? edges[seed] : Int.random(in: 29...250_000, using: &random)
        let image = SampleImage.png(size, seed: seed)

        let content = try MediaContent(SampleImage.text(image))

        #expect(content.byteCount == size)
        #expect(content.name.digest == image.withUnsafeBytes { ContentDigest(of: $0) })
        #expect(content.name.format == .png)
        #expect(try decoded(content) == image)
    }

    @Test("escapes of JSON make no difference to the name", arguments: ["\\/", "\\u002f", "\\u002F"])
    func escapes(slash: String) throws {
        let image = SampleImage.png(20_000, seed: 7)
        let plain = Data(image).base64EncodedString()
        let escaped = plain.replacing("/", with: slash)

        let content = try MediaContent(SampleImage.text(escaped))

        #expect(escaped != plain)
        #expect(try content.name == MediaContent(SampleImage.text(plain)).name)
        #expect(try decoded(content) == image)
    }

    private static let whole = Data(SampleImage.png(100)).base64EncodedString()

    @Test(
        "what is no image, or no clean Base64, is refused",
        arguments: [
            ("nothing", "", MediaFault.notAnImage),
            (
                "an SVG", Data("<svg xmlns='http://www.w3.org/2000/svg'/>".utf8).base64EncodedString(),
                .notAnImage
            ),
            (
                "a page", Data("<!doctype html><script>alert(1)</script>".utf8).base64EncodedString(),
                .notAnImage
            ),
            ("a GIF's name alone", Data("GIF89a".utf8).base64EncodedString(), .notAnImage),
            ("no Base64 at all", "https://example.org/a.png", .notAnImage),
            ("a text that is cut off", String(whole.dropLast(3)), .notBase64),
            ("missing padding", String(whole.prefix { $0 != "=" }) + "A", .notBase64),
            ("a line break", whole.prefix(76) + "\n" + whole.dropFirst(76), .notBase64),
            ("a foreign byte at the end", whole.dropLast(4) + "AA*=", .notBase64),
            ("stray bits", whole.dropLast(4) + "AB==", .notBase64),
            ("more behind the padding", whole + "AAAA", .notBase64),
        ] as [(String, any StringProtocol & Sendable, MediaFault)]
    )
    func refused(when: String, text: any StringProtocol & Sendable, fault: MediaFault) {
        #expect(throws: fault) { try MediaContent(SampleImage.text(String(text))) }
    }

    @Test("an image over the limit is refused by its size alone")
    func tooLarge() throws {
        var text = ByteBuffer(string: Data(SampleImage.png(300)).base64EncodedString())
        text.writeRepeatingByte(0x41, count: MediaContent.mostBytes / 3 * 4)

        #expect(throws: MediaFault.tooLarge) {
            try MediaContent(MediaText(base64: text, hasEscapes: false))
        }
    }
}
