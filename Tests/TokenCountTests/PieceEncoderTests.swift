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

    /// A quadratic merge takes 64 times as long for 8 times the bytes.
    @Test("time grows with the length, not with its square", arguments: ["random", "a", " "])
    func linear(unit: String) {
        var random = SplitMix(seed: 2)
        let large =
            unit == "random"
            ? SampleText.letters(&random, count: 160_000)
            : Array(repeating: unit.utf8.first ?? 0, count: 160_000)
        let small = Array(large.prefix(20_000))
        let counter = TokenCounter(.o200kBase)
        func fastest(_ text: [UInt8]) -> Duration {
            (0..<4).map { _ in ContinuousClock().measure { _ = counter.count(text) } }.min() ?? .zero
        }

        #expect(fastest(large) < fastest(small) * 24)
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
