import TestSupport
import Testing

@testable import Wire

@Suite("A keyed digest is Poly1305")
struct MediaKeyedDigestTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var name: String
        /// Both halves of the key, the bytes as they are written.
        var key: String
        var text: [UInt8]
        var tag: String

        var testDescription: String { name }
    }

    private static let ones = [UInt8](repeating: 0xFF, count: 16)
    private static let one: [UInt8] = [1] + [UInt8](repeating: 0, count: 15)
    private static let zeros = String(repeating: "0", count: 32)

    /// RFC 8439, sections 2.5.2 and A.3: from number 7 on they are about carries and the modulus.
    static let vectors = [
        Vector(
            name: "2.5.2",
            key: "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
            text: Array("Cryptographic Forum Research Group".utf8),
            tag: "a8061dc1305136c6c22b8baf0c0127a9"
        ),
        Vector(name: "A.3 #1", key: zeros + zeros, text: [UInt8](repeating: 0, count: 64), tag: zeros),
        Vector(
            name: "A.3 #7",
            key: "02" + zeros.dropFirst(2) + zeros,
            text: ones,
            tag: "03" + zeros.dropFirst(2)
        ),
        Vector(
            name: "A.3 #8",
            key: "02" + zeros.dropFirst(2) + String(repeating: "f", count: 32),
            text: [2] + one.dropFirst(),
            tag: "03" + zeros.dropFirst(2)
        ),
        Vector(
            name: "A.3 #9",
            key: "02" + zeros.dropFirst(2) + zeros,
            text: [0xFD] + ones.dropFirst(),
            tag: "fa" + String(repeating: "f", count: 30)
        ),
        Vector(
            name: "A.3 #10",
            key: "01000000000000000400000000000000" + zeros,
            text: bytes(
                "e33594d7505e43b900000000000000003394d7505e4379cd01000000000000000000000000000000"
                    + "000000000000000001000000000000000000000000000000"
            ),
            tag: "14000000000000005500000000000000"
        ),
        Vector(
            name: "A.3 #11",
            key: "01000000000000000400000000000000" + zeros,
            text: bytes(
                "e33594d7505e43b900000000000000003394d7505e4379cd01000000000000000000000000000000"
                    + "0000000000000000"
            ),
            tag: "13" + zeros.dropFirst(2)
        ),
    ]

    @Test("as in the standard, however the text is cut", arguments: vectors)
    func vector(_ vector: Vector) {
        for cut in 0...vector.text.count {
            var hasher = KeyedHasher(key: Self.key(vector.key))
            vector.text[..<cut].withUnsafeBytes { hasher.update($0) }
            vector.text[cut...].withUnsafeBytes { hasher.update($0) }
            let digest = hasher.finalize()
            let tag = [digest.low, digest.high].flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
            }
            #expect(tag == Self.bytes(vector.tag))
        }
    }

    @Test(
        "differs for texts that differ in a byte, in zeros at the end, and under another key",
        arguments: 0..<100
    )
    func differences(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let (key, other) = (KeyedHasher.Key(using: &random), KeyedHasher.Key(using: &random))
        let text = (0..<Int(seed)).map { _ in UInt8.random(in: 0...255, using: &random) }
        var texts = [text, text + [0], text + [0, 0], text + [UInt8](repeating: 0, count: 16)]
        for place in text.indices {
            texts.append(text)
            texts[texts.count - 1][place] ^= UInt8.random(in: 1...255, using: &random)
        }

        #expect(Set(texts.map { Self.digest($0, key) }).count == texts.count)
        #expect(Self.digest(text, key) != Self.digest(text, other))
    }

    private static func digest(_ text: [UInt8], _ key: KeyedHasher.Key) -> KeyedDigest {
        text.withUnsafeBytes { KeyedHasher.digest(of: $0, key: key) }
    }

    private static func key(_ digits: String) -> KeyedHasher.Key {
        let words = bytes(digits).withUnsafeBytes { bytes in
            (0..<4).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self).littleEndian }
        }
        return KeyedHasher.Key((words[0], words[1]), (words[2], words[3]))
    }

    private static func bytes(_ digits: String) -> [UInt8] {
        let digits = Array(digits)
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0
        }
    }
}
