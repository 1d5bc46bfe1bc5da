import TestSupport
import Testing

@testable import TokenCount

/// Gemma's own rule: a text is cut into runs of line ends and all else, and a piece is merged by a list of pairs.
///
/// Quadratic, and without the splitter.
private struct GemmaReference {
    let vocabulary = Encoding.gemma.vocabulary

    func tokens(of text: String) -> [Int] {
        var tokens: [Int] = []
        var line: [[UInt8]] = []
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar == "\u{2581}" ? " " : scalar).utf8)
            if let last = line.last, (last == [0x0A]) != (bytes == [0x0A]) {
                tokens += merged(line)
                line = []
            }
            line += rank(bytes) == nil ? bytes.map { [$0] } : [bytes]
        }
        return tokens + merged(line)
    }

    private func merged(_ line: [[UInt8]]) -> [Int] {
        var parts = line
        while let at = lowestPair(parts) {
            parts[at] += parts.remove(at: at + 1)
        }
        return parts.compactMap(rank)
    }

    private func lowestPair(_ parts: [[UInt8]]) -> Int? {
        parts.indices.dropLast()
            .compactMap { at in priority(parts[at], parts[at + 1]).map { ($0, at) } }
            .min { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0.lexicographicallyPrecedes($1.0) }?.1
    }

    /// The list has the runs first, those with the longest left part foremost, then the others by the number of
    /// what they give, which it repeats for every split; the file's order of these does not matter.
    private func priority(_ left: [UInt8], _ right: [UInt8]) -> [Int]? {
        guard let rank = rank(left + right) else { return nil }
        let isRun = Set(left + right).count == 1 && [0x20, 0x0A, 0x09].contains(left[0])
        return isRun ? [0, -left.count, -right.count] : [1, rank]
    }

    private func rank(_ bytes: [UInt8]) -> Int? {
        let rank = bytes.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { vocabulary.rank($0, count: buffer.count, readable: buffer.count) }
        }
        return rank.flatMap { $0 == Vocabulary.none ? nil : Int($0) }
    }
}

@Suite("Gemma's pieces give the tokens of its lines")
struct GemmaLineTests {
    @Test("for any text", arguments: 0..<60)
    func anyText(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let text = SampleText.any(&random)

        #expect(TokenCounter(.gemma).encode(text) == GemmaReference().tokens(of: text))
    }

    @Test("for runs of every length", arguments: [" ", "\n", "\t"])
    func runs(unit: String) {
        for length in 1...70 {
            let text = "a" + String(repeating: unit, count: length) + "b"

            #expect(TokenCounter(.gemma).encode(text) == GemmaReference().tokens(of: text), "\(length)")
        }
    }

    @Test("for tokens side by side", arguments: 0..<60)
    func tokens(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let vocabulary = Encoding.gemma.vocabulary
        let text = (0..<6).reduce(into: "") { text, _ in
            let rank = Int.random(in: 0..<vocabulary.tokens, using: &random)
            text += String(decoding: vocabulary.bytes(of: rank).map(Array.init) ?? [], as: UTF8.self)
        }

        #expect(TokenCounter(.gemma).encode(text) == GemmaReference().tokens(of: text))
    }
}
