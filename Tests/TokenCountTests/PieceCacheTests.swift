import TestSupport
import Testing

@testable import TokenCount

@Suite("Remembered pieces count as new ones")
struct PieceCacheTests {
    @Test("however often they come, and from several threads", arguments: Encoding.all)
    func countsAsEncodes(encoding: Encoding) async {
        let counter = TokenCounter(encoding)
        let texts = (0..<24).map { seed in
            var random = SplitMix(seed: UInt64(seed))
            return (0..<8).reduce(into: "") { text, _ in text += SampleText.any(&random, parts: 80) }
        }
        let expected = texts.map { counter.encode($0).count }

        let counted = await withTaskGroup { group in
            for _ in 0..<4 {
                group.addTask { (0..<2).map { _ in texts.map { counter.count($0) } } }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }

        #expect(counted.count == 8)
        #expect(counted.allSatisfy { $0 == expected })
    }

    @Test("a piece is not taken for its start, nor for itself with zeros behind it", arguments: 1...30)
    func lengths(length: Int) {
        let counter = TokenCounter(.o200kBase)
        let word = String(repeating: "q", count: length)
        let zeros = String(repeating: "\u{0}", count: length)
        for piece in [word, word + "q", word + "\u{0}", zeros, zeros + "\u{0}"] {
            let text = piece + " " + String(repeating: "z", count: 40)
            #expect(counter.count(text) == counter.encode(text).count, "\(piece.debugDescription)")
        }
    }

    @Test("more pieces than there is room for", arguments: [4, 17])
    func overflow(length: Int) {
        var random = SplitMix(seed: UInt64(length))
        let letters = Array("abcdefghijklmnopqrstuvwxyz".utf8)
        let text = (0..<200_000 / length).flatMap { _ in
            [UInt8(ascii: " ")] + (0..<length).map { _ in letters[Int.random(in: 0..<26, using: &random)] }
        }
        let counter = TokenCounter(.o200kBase)

        let expected = counter.encode(text).count

        #expect([counter.count(text), counter.count(text)] == [expected, expected])
    }
}
