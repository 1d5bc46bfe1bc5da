import Foundation
import TestSupport
import Testing
import Wire

@Suite("Base64 is decoded and encoded in pieces")
struct MediaBase64CodecTests {
    /// Decodes pieces that end at the given offsets.
    static func decode(_ text: [UInt8], cuts: [Int] = []) throws -> [UInt8] {
        var decoder = Base64Decoder()
        var bytes: [UInt8] = []
        var start = 0
        for end in cuts + [text.count] {
            bytes += try decode(Array(text[start..<end]), &decoder)
            start = end
        }
        try decoder.finish()
        return bytes
    }

    /// The buffer has no byte more than is asked for, and one behind it is watched.
    private static func decode(
        _ piece: [UInt8],
        _ decoder: inout Base64Decoder
    ) throws -> [UInt8] {
        let room = Base64Decoder.mostBytes(forText: piece.count)
        var output = [UInt8](repeating: 0xAA, count: room + 1)
        let count = try output.withUnsafeMutableBytes { output in
            let output = UnsafeMutableRawBufferPointer(rebasing: output[..<room])
            return try piece.withUnsafeBytes { try decoder.decode($0, into: output) }
        }
        #expect(output[room] == 0xAA)
        return Array(output.prefix(count))
    }

    static func encode(_ bytes: [UInt8], cuts: [Int] = []) -> [UInt8] {
        var encoder = Base64Encoder()
        var text: [UInt8] = []
        var start = 0
        for end in cuts + [bytes.count] {
            var output = [UInt8](repeating: 0, count: Base64Encoder.textCount(forBytes: end - start))
            let count = output.withUnsafeMutableBytes { output in
                bytes[start..<end].withUnsafeBytes { encoder.encode($0, into: output) }
            }
            text += output.prefix(count)
            start = end
        }
        var last = [UInt8](repeating: 0, count: 4)
        let count = last.withUnsafeMutableBytes { encoder.finish(into: $0) }
        return text + last.prefix(count)
    }

    static func bytes(_ count: Int, _ random: inout SplitMix) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// RFC 4648, section 10.
    @Test(
        "as in the examples of the standard",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
    )
    func vectors(plain: String, text: String) throws {
        #expect(Self.encode(Array(plain.utf8)) == Array(text.utf8))
        #expect(try Self.decode(Array(text.utf8)) == Array(plain.utf8))
    }

    @Test("of every length as Foundation does", arguments: 0..<200)
    func lengths(count: Int) throws {
        var random = SplitMix(seed: UInt64(count))
        let bytes = Self.bytes(count, &random)
        let text = Array(Data(bytes).base64EncodedString().utf8)

        #expect(Self.encode(bytes) == text)
        #expect(try Self.decode(text) == bytes)
    }

    @Test("cut anywhere as whole", arguments: 0..<70)
    func everyCut(count: Int) throws {
        var random = SplitMix(seed: UInt64(count))
        let bytes = Self.bytes(count, &random)
        let text = Self.encode(bytes)
        for cut in 0...text.count { #expect(try Self.decode(text, cuts: [cut]) == bytes) }
        for cut in 0...bytes.count { #expect(Self.encode(bytes, cuts: [cut]) == text) }
    }

    @Test("cut in many places as whole, with escapes and without", arguments: 0..<100)
    func manyCuts(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let bytes = Self.bytes(Int.random(in: 0..<500, using: &random), &random)
        let plain = Self.encode(bytes)
        let text = plain.flatMap { byte -> [UInt8] in
            guard seed % 2 == 1, Int.random(in: 0..<8, using: &random) == 0 else { return [byte] }
            return byte == 0x2F ? [0x5C, 0x2F] : Array("\\u00\(String(byte, radix: 16))".utf8)
        }
        let cuts = (0..<5).map { _ in Int.random(in: 0...text.count, using: &random) }.sorted()

        #expect(try Self.decode(text, cuts: cuts) == bytes)
        let ends = cuts.map { min($0, bytes.count) }
        #expect(Self.encode(bytes, cuts: ends) == plain)
    }

    @Test(
        "escapes of JSON that stand for digits are understood",
        arguments: [
            ("\\/\\/\\/\\/", "////"), ("\\u002f\\u002FA\\u002b", "//A+"), ("Zg=\\u003d", "Zg=="),
            ("\\u0041AAA", "AAAA"),
        ]
    )
    func escapes(escaped: String, plain: String) throws {
        #expect(try Self.decode(Array(escaped.utf8)) == Self.decode(Array(plain.utf8)))
    }

    static let refused: [(text: String, failure: Base64Decoder.Failure)] = [
        ("A", .wrongPadding), ("AA", .wrongPadding), ("AAA", .wrongPadding), ("AA=", .wrongPadding),
        ("=", .wrongPadding), ("A=", .wrongPadding), ("A===", .wrongPadding), ("====", .wrongPadding),
        ("AA==A", .wrongPadding), ("AA==AAAA", .wrongPadding), ("AA===", .wrongPadding),
        ("AAA==", .wrongPadding),
        ("AAAA=", .wrongPadding), ("AA=A", .wrongPadding), ("AAA=AAA=", .wrongPadding),
        ("AB==", .strayBits), ("AP==", .strayBits), ("AAB=", .strayBits), ("AAD=", .strayBits),
        (" AAA", .foreignByte), ("AAA ", .foreignByte), ("AA\nAA", .foreignByte), ("AAA-", .foreignByte),
        ("AAA_", .foreignByte), ("AAA%", .foreignByte), ("AAA\"", .foreignByte), ("AAA,", .foreignByte),
        ("AAÄ", .foreignByte), ("AAA\0", .foreignByte), ("AAA\\", .foreignByte), ("AAA\\n", .foreignByte),
        ("AAA\\\\", .foreignByte), ("AAA\\\"", .foreignByte), ("AAA\\u002", .foreignByte),
        ("AAA\\u012f", .foreignByte), ("AAA\\u00zz", .foreignByte), ("AAA\\u0020", .foreignByte),
        ("AAA\\U002F", .foreignByte), ("AAA\\\\/", .foreignByte), ("AA==\\n", .foreignByte),
    ]

    @Test("what is not canonical is refused, wherever it stands", arguments: refused, [0, 4, 16, 48, 52])
    func refusal(row: (text: String, failure: Base64Decoder.Failure), before: Int) {
        let text = Array(repeating: 0x41, count: before) + Array(row.text.utf8)

        for cut in [0, before, text.count] {
            #expect(throws: row.failure) { try Self.decode(text, cuts: [cut]) }
        }
    }

    @Test("every byte is a digit or refused, in every place of a block", arguments: 0..<32)
    func everyByte(place: Int) {
        let alphabet = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        for byte in UInt8(0)...255 where byte != 0x3D && byte != 0x5C {
            var text = [UInt8](repeating: 0x41, count: 48)
            text[place] = byte
            let bytes = try? Self.decode(text)
            #expect((bytes != nil) == alphabet.contains(byte))
            #expect(bytes.map { Self.encode($0) == text } ?? true)
        }
    }

    @Test("a text that is decoded is the one that its bytes are encoded to", arguments: 0..<100)
    func canonical(seed: UInt64) {
        var random = SplitMix(seed: seed)
        for _ in 0..<100 {
            var text = Self.encode(Self.bytes(Int.random(in: 1..<60, using: &random), &random))
            let place = Int.random(in: 0..<text.count, using: &random)
            text[place] = "AZaz09+/=-_ \n".utf8.randomElement(using: &random) ?? 0
            guard let bytes = try? Self.decode(text) else { continue }
            #expect(Self.encode(bytes) == text)
        }
    }
}
