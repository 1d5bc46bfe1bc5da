import TestSupport
import Testing

@testable import Egress

@Suite("Base64 of links is read in either alphabet")
struct Base64Tests {
    /// RFC 4648, section 10.
    static let vectors = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]

    @Test("the vectors of RFC 4648, with and without padding", arguments: vectors)
    func published(plain: String, text: String) {
        #expect(Base64.text(Array(plain.utf8)) == text)
        #expect(Base64.bytes(text) == Array(plain.utf8))
        #expect(Base64.bytes(text.filter { $0 != "=" }) == Array(plain.utf8))
    }

    @Test("other texts are refused", arguments: ["Z", "Zg===", "Z===", "Zm=v", "Zm9 v", "Zm9v\n", "ä"])
    func refused(text: String) {
        #expect(Base64.bytes(text) == nil)
    }

    @Test("any bytes come back", arguments: 0..<20)
    func roundTrip(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let bytes = (0..<Int.random(in: 0...90, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
        let text = Base64.text(bytes)

        #expect(Base64.bytes(text) == bytes)
        #expect(Base64.bytes(text.replacing("+", with: "-").replacing("/", with: "_")) == bytes)
    }
}
