import Foundation
import TestSupport
import Testing

@testable import TokenCount

@Suite("A piece of any length is merged exactly")
struct PieceEncoderTests {
    static let cases = Encoding.all.flatMap { encoding in (0..<40).map { (encoding, $0) } }

    @Test("as the definition does, whatever the windows", arguments: cases)
    func windows(encoding: Encoding, seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let piece = SampleText.letters(&random, count: Int.random(in: 1...300, using: &random))
        let expected = MergeReference(encoding).tokens(of: piece)

        #expect(Self.tokens(of: piece, encoding) == expected)
        for (window, overlap) in [(2, 1), (8, 4), (16, 8), (40, 5), (64, 40)] {
            #expect(
                Self.tokens(of: piece, encoding, window: window, overlap: overlap) == expected,
                "\(window)"
            )
        }
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

        for window in [16, 64, 200] {
            #expect(
                Self.tokens(of: piece, encoding, window: window, overlap: window / 2) == expected,
                "\(window)"
            )
        }
    }

    @Test("the usual windows give what one large window gives", arguments: Encoding.all)
    func usualWindows(encoding: Encoding) {
        var random = SplitMix(seed: 1)
        let piece = SampleText.letters(&random, count: 20_000)

        #expect(
            Self.tokens(of: piece, encoding) == Self.tokens(of: piece, encoding, window: 20_000, overlap: 1)
        )
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
        window: Int = 4096,
        overlap: Int = 256
    ) -> [Int] {
        var list = RankList()
        var encoder = PieceEncoder(encoding.vocabulary, window: window, overlap: overlap)
        piece.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            encoder.encode(start, count: bytes.count, readable: bytes.count, into: &list)
        }
        return list.ranks
    }
}
