import TestSupport
import Testing

@testable import TokenCount

@Suite("A text is cut where the tokens of its parts are those of the whole")
struct TextSeamTests {
    private func lastSeam(in text: [UInt8]) -> Int? {
        text.withUnsafeBytes { TokenCounter.lastSeam(in: $0) }
    }

    @Test(
        "at the last space or line end behind an ASCII letter or digit",
        arguments: [
            ("", nil), (" a", nil), ("a", nil), ("a ", 1), ("a b", 1), ("a b c", 3), ("1\nx", 1),
            ("é b", nil),
            ("a. b", nil), ("a\tb", nil), ("ab  c", 2),
        ] as [(String, Int?)]
    )
    func place(text: String, place: Int?) {
        #expect(lastSeam(in: Array(text.utf8)) == place)
    }

    @Test("at every such place, in every encoding", arguments: Encoding.all, 0..<8)
    func additive(encoding: Encoding, seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let counter = TokenCounter(encoding)
        var seams = 0
        for _ in 0..<300 {
            let text = Array(SampleText.any(&random).utf8)
            var rest = text[...]
            while let seam = lastSeam(in: Array(rest)) {
                let parts = counter.encode(Array(text[..<seam])) + counter.encode(Array(text[seam...]))
                #expect(
                    counter.encode(text) == parts,
                    "at \(seam) of \(String(decoding: text, as: UTF8.self))"
                )
                rest = text[..<seam]
                seams += 1
            }
        }
        try #require(seams > 100)
    }
}
