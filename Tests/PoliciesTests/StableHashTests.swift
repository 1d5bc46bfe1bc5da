import Testing

@testable import Policies

@Suite("A digest is the same in every process")
struct StableHashTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        /// The message is the bytes 0, 1, 2 … up to this count.
        var byteCount: Int
        var rounds: (compression: Int, finalization: Int)
        var output: String

        var testDescription: String {
            "SipHash-\(rounds.compression)-\(rounds.finalization), \(byteCount) bytes"
        }
    }

    /// The key is the bytes 0 to 15.
    ///
    /// SipHash-2-4: `vectors_sip128` of the authors' reference code. SipHash-1-3: OpenSSL 3.0.19,
    /// `openssl mac -macopt size:16 -macopt c-rounds:1 -macopt d-rounds:3 SIPHASH`, which agrees with the
    /// former for 2 and 4 rounds.
    static let vectors = [
        Vector(byteCount: 0, rounds: (2, 4), output: "a3817f04ba25a8e66df67214c7550293"),
        Vector(byteCount: 1, rounds: (2, 4), output: "da87c1d86b99af44347659119b22fc45"),
        Vector(byteCount: 8, rounds: (2, 4), output: "3b62a9ba6258f5610f83e264f31497b4"),
        Vector(byteCount: 15, rounds: (2, 4), output: "5493e99933b0a8117e08ec0f97cfc3d9"),
        Vector(byteCount: 63, rounds: (2, 4), output: "5150d1772f50834a503e069a973fbd7c"),
        Vector(byteCount: 0, rounds: (1, 3), output: "e77ebcb22788a5befd62db6add303001"),
        Vector(byteCount: 1, rounds: (1, 3), output: "fc6f370460d3eda85e0573cc2b2ff063"),
        Vector(byteCount: 8, rounds: (1, 3), output: "aa12fee1d5e3dab4724f16ab35f9c799"),
        Vector(byteCount: 15, rounds: (1, 3), output: "c17e5505b2bd526c2921cdec1e7e0109"),
        Vector(byteCount: 63, rounds: (1, 3), output: "4c5800e34efe426f079f6b0aa75260ad"),
    ]

    @Test("the core gives the reference's output", arguments: vectors)
    func reference(_ vector: Vector) {
        var hash = SipHash(
            key: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908),
            compressionRounds: vector.rounds.compression,
            finalizationRounds: vector.rounds.finalization
        )
        let message = (0..<vector.byteCount).map { UInt8($0) }
        let wholeEnd = vector.byteCount & ~7
        for start in stride(from: 0, to: wholeEnd, by: 8) {
            hash.compress(Self.word(message[start..<start + 8]))
        }
        let (first, second) = hash.finish(
            last: Self.word(message[wholeEnd...]) | UInt64(vector.byteCount) << 56
        )

        let digest = StableDigest(high: first.byteSwapped, low: second.byteSwapped)
        #expect(digest.hexadecimal == vector.output)
    }

    /// OpenSSL's SipHash-1-3 over the encoding that the hasher's comment describes, with a key of zeros.
    static let texts: [(texts: [String], digest: String)] = [
        ([], "2134935d61d9b40db91c5ed031fb3303"),
        ([""], "ec4827ee54e8eed69ddcabcca2183c5f"),
        (["ab", "c"], "65574653a0ea52c27bf9318b7cc8c6e7"),
        (["a", "bc"], "06ebad0617e70373d03909f66effc82f"),
        (["größer"], "24e1c10e070f861e95f75f0485406f86"),
        (["12345678"], "9e0f36ef6fede5bccb38446699832145"),
        (["The quick brown fox jumps over the lazy dog"], "4bce0c126fc76246470dd7fa9f7d7c27"),
    ]

    @Test("texts have their known digests", arguments: texts)
    func knownDigest(texts: [String], digest: String) {
        var hasher = StableHasher()
        for text in texts { hasher.combine(text) }

        #expect(hasher.finalize().hexadecimal == digest)
    }

    @Test("a key changes the digest")
    func key() {
        var hasher = StableHasher(key: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))
        hasher.combine("ab")
        hasher.combine("c")

        #expect(hasher.finalize().hexadecimal == "61493e6754ca76806d20a4070152a654")
    }

    @Test("a digest counts as its sixteen bytes")
    func digestOfDigest() {
        var inner = StableHasher()
        inner.combine("ab")
        var outer = StableHasher()
        outer.combine(inner.finalize())

        #expect(inner.finalize().hexadecimal == "dd2128ea6a5d620d0f90c5f9d62c465e")
        #expect(outer.finalize().hexadecimal == "df280b19b505757f6c5cdf756bd5744d")
    }

    @Test("where the bytes stand in memory does not matter", arguments: 0..<8)
    func alignment(offset: Int) {
        let text = Array("as long as three words".utf8)
        let moved = [UInt8](repeating: 0x78, count: offset) + text

        var (there, here) = (StableHasher(), StableHasher())
        text.withUnsafeBytes { there.combine($0) }
        moved.withUnsafeBytes { here.combine(UnsafeRawBufferPointer(rebasing: $0[offset...])) }

        #expect(there.finalize() == here.finalize())
    }

    @Test("finalizing changes nothing")
    func finalizeTwice() {
        var hasher = StableHasher()
        hasher.combine("ab")
        let first = hasher.finalize()
        let second = hasher.finalize()
        hasher.combine("c")

        #expect(first == second)
        #expect(hasher.finalize().hexadecimal == "65574653a0ea52c27bf9318b7cc8c6e7")
    }

    @Test("digits keep their leading zeros")
    func digits() {
        #expect(StableDigest(high: 0xa, low: 0x0123).hexadecimal == "000000000000000a0000000000000123")
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
