import Foundation
import TestSupport
import Testing

@testable import TokenCount

@Suite("A piece of any length is merged exactly")
struct PieceEncoderTests {
    static let cases = Encoding.all.flatMap { encoding in (0..<40).map { (encoding, $0) } }

    @Test("as the definition does, whatever the blocks and windows", arguments: cases)
    func blocks(encoding: Encoding, seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let piece = SampleText.letters(&random, count: Int.random(in: 1...300, using: &random))
        let expected = MergeReference(encoding).tokens(of: piece)

        #expect(Self.tokens(of: piece, encoding) == expected)
        for (block, units) in [(16, 63), (24, 2), (64, 16), (64, 40), (100, 63)] {
            #expect(
                Self.tokens(of: piece, encoding, block: block, units: units) == expected,
                "\(block), \(units)"
            )
        }
    }

    @Test("in every script", arguments: Encoding.all, SampleText.alphabets)
    func scripts(encoding: Encoding, alphabet: String) {
        var random = SplitMix(seed: 5)
        let scalars = Array(alphabet.unicodeScalars)
        let piece = (0..<150).flatMap { _ in
            Array(String(scalars[Int.random(in: scalars.indices, using: &random)]).utf8)
        }

        let expected = MergeReference(encoding).tokens(of: piece)

        for (block, units) in [(80, 63), (200, 30)] {
            #expect(Self.tokens(of: piece, encoding, block: block, units: units) == expected, "\(block)")
        }
    }

    @Test(
        "short tokens are made of tokens of lower ranks, on which early merges rely",
        arguments: Encoding.all
    )
    func orderlyTokens(encoding: Encoding) {
        let vocabulary = encoding.vocabulary
        let reference = MergeReference(encoding)
        var disorderly: [UInt32] = []
        vocabulary.forEachToken { token, rank in
            guard (3...EarlyMerges.longestOrderly).contains(token.count) else { return }
            if reference.mergesWithin(Array(token)).contains(where: { $0 > rank }) { disorderly.append(rank) }
        }

        #expect(disorderly.isEmpty)
    }

    @Test("blocks that are remembered count as blocks that are not", arguments: Encoding.all)
    func rememberedBlocks(encoding: Encoding) {
        var random = SplitMix(seed: 6)
        let letters = SampleText.letters(&random, count: 9_000)
        let counter = TokenCounter(encoding)
        for piece in [letters + letters, Array(letters.dropFirst()) + letters, Array(letters.prefix(4_096))] {
            let tokens = Self.tokens(of: piece, encoding, block: 20_000).count
            for _ in 0..<2 {
                #expect(counter.count(piece) == (encoding == .gemma ? counter.encode(piece).count : tokens))
            }
        }
    }

    /// Pairs whose ranks fall from left to right merge from the right end: where a block is cut shows far to its left.
    @Test("a text made for it does not make one block of the whole piece")
    func fallingRanks() {
        let chain = "cqyjhgzlwfjmwjbmvnmxlpdmcvuoqaezzujuzyltihrupptrorer"
        let piece = Array(String(repeating: chain, count: 2_000).utf8)
        var encoder = PieceEncoder(Encoding.o200kBase.vocabulary)
        var tokens = RankList()
        piece.withUnsafeBufferPointer { bytes in
            if let start = bytes.baseAddress {
                encoder.encode(start, count: bytes.count, readable: bytes.count, into: &tokens)
            }
        }

        #expect(encoder.tree.capacity <= 2 * encoder.block)
        #expect(tokens.ranks == Self.tokens(of: piece, .o200kBase, block: piece.count))
    }

    @Test("short ones too, whatever they are made of", arguments: Encoding.all, 0..<10)
    func shortPieces(encoding: Encoding, seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        for alphabet in ["aeinrst", "AbCdXyZ019+/", "аеинот", "的一是不了中国", "e\u{301}\u{308}", " \n\t", "=-#*"] {
            for _ in 0..<20 {
                let scalars = (0..<Int.random(in: 1...16, using: &random)).compactMap { _ in
                    alphabet.unicodeScalars.randomElement(using: &random)
                }
                let piece = scalars.flatMap { Array(String($0).utf8) }
                #expect(
                    Self.tokens(of: piece, encoding) == MergeReference(encoding).tokens(of: piece),
                    "\(piece)"
                )
            }
        }
    }

    @Test("repetitions too", arguments: Encoding.all, ["a", " ", "\n", "-=", "abc", "е"])
    func repetitions(encoding: Encoding, unit: String) {
        let piece = Array(String(repeating: unit, count: 120).utf8)

        let expected = MergeReference(encoding).tokens(of: piece)

        for block in [20, 64, 200] {
            #expect(Self.tokens(of: piece, encoding, block: block) == expected, "\(block)")
        }
    }

    @Test("the usual blocks give what one large block gives", arguments: Encoding.all)
    func usualBlocks(encoding: Encoding) {
        var random = SplitMix(seed: 1)
        let piece = SampleText.letters(&random, count: 20_000)

        #expect(Self.tokens(of: piece, encoding) == Self.tokens(of: piece, encoding, block: 20_000))
    }

    static let lengthy: [(Encoding, String)] = [
        (.o200kBase, "random"), (.o200kBase, "a"), (.o200kBase, " "), (.gemma, "random"), (.gemma, " "),
        (.gemma, "\u{5929}\u{5730}"), (.gemma, "\u{E000}a"), (.qwen2, "\u{301}\u{327}"), (.qwen2, "1"),
        (.claudeLegacy, "\u{FB01}"), (.p50kBase, "-="),
    ]

    /// A quadratic merge takes 64 times as long for 8 times the bytes.
    @Test("time grows with the length, not with its square", arguments: lengthy)
    func linear(encoding: Encoding, unit: String) {
        var random = SplitMix(seed: 2)
        let large =
            unit == "random"
            ? SampleText.letters(&random, count: 80_000)
            : Array(String(repeating: unit, count: 80_000 / unit.utf8.count).utf8)
        let small = Array(large.prefix(10_000))
        let counter = TokenCounter(encoding)
        func fastest(_ text: [UInt8]) -> Int {
            (0..<4).map { _ in
                let start = Self.processorNanoseconds()
                _ = counter.count(text)
                return Self.processorNanoseconds() - start
            }.min() ?? 0
        }

        #expect(fastest(large) < fastest(small) * 24)
    }

    /// What this thread has used, so that other work on the machine does not count.
    private static func processorNanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    private static func tokens(
        of piece: [UInt8],
        _ encoding: Encoding,
        block: Int = 4096,
        units: Int = WindowMerge.mostUnits
    ) -> [Int] {
        var list = RankList()
        var encoder = PieceEncoder(encoding.vocabulary, block: block, units: units)
        piece.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            encoder.encode(start, count: bytes.count, readable: bytes.count, into: &list)
        }
        return list.ranks
    }
}
