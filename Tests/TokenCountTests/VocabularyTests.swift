import TestSupport
import Testing

@testable import TokenCount

@Suite("The vocabulary finds its tokens and nothing else")
struct VocabularyTests {
    /// Length of the longest token, and how many ranks have no bytes or are there only to be decoded.
    static let sizes: [(Encoding, longest: Int, decodedOnly: Int)] = [
        (.o200kBase, 128, 0), (.cl100kBase, 128, 0), (.p50kBase, 128, 1), (.gemma, 48, 6_436),
        (.llama3, 128, 0),
        (.qwen2, 128, 0), (.claudeLegacy, 1024, 5),
    ]

    @Test("every token by its bytes, at the end of memory and before it", arguments: sizes)
    func everyToken(encoding: Encoding, longest: Int, decodedOnly: Int) {
        let vocabulary = encoding.vocabulary
        let lost = (0..<vocabulary.tokens).filter { rank in
            guard let bytes = vocabulary.bytes(of: rank) else { return true }
            return Self.rank(of: Array(bytes), in: vocabulary) != rank
                || Self.rank(of: Array(bytes), followedBy: 8, in: vocabulary) != rank
        }

        #expect(lost.count == decodedOnly, "\(lost.prefix(20))")
        #expect(vocabulary.longest == longest)
    }

    @Test("no token that was changed by a byte, unless that is a token too", arguments: Encoding.all)
    func changedTokens(encoding: Encoding) {
        var random = SplitMix(seed: 3)
        let vocabulary = encoding.vocabulary
        for rank in stride(from: 0, to: vocabulary.tokens, by: 17) {
            guard var bytes = vocabulary.bytes(of: rank).map(Array.init) else { continue }
            bytes[Int.random(in: bytes.indices, using: &random)] &+= UInt8.random(in: 1...255, using: &random)
            let found = Self.rank(of: bytes, in: vocabulary)
            #expect(found.map { vocabulary.bytes(of: $0).map(Array.init) == bytes } ?? true, "\(bytes)")
        }
    }

    @Test("two bytes have the rank that their look-up gives", arguments: Encoding.all)
    func pairs(encoding: Encoding) {
        let vocabulary = encoding.vocabulary
        let wrong = (0..<65_536).filter { pair in
            let bytes = [UInt8(pair >> 8), UInt8(pair & 255)]
            let rank = vocabulary.pairRank(bytes[0], bytes[1])
            return Self.rank(of: bytes, in: vocabulary) != (rank == Vocabulary.none ? nil : Int(rank))
        }

        #expect(wrong.isEmpty)
    }

    /// A short key holds its length where the eighth byte would stand.
    @Test("eight bytes that look like a shorter token are not it", arguments: Encoding.all, 1...7)
    func paddedTokens(encoding: Encoding, length: Int) {
        let token = Array("reading".utf8.prefix(length))
        let padded = token + Array(repeating: 0, count: 7 - length) + [UInt8(length)]

        #expect(Self.rank(of: token, in: encoding.vocabulary) != nil || length > 4)
        #expect(Self.rank(of: padded, in: encoding.vocabulary) == nil)
    }

    private static func rank(of bytes: [UInt8], followedBy more: Int = 0, in vocabulary: Vocabulary) -> Int? {
        let memory = bytes + Array(repeating: 0x41, count: more)
        let rank = memory.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { vocabulary.rank($0, count: bytes.count, readable: memory.count) }
        }
        return rank.flatMap { $0 == Vocabulary.none ? nil : Int($0) }
    }
}
