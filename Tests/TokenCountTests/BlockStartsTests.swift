import TestSupport
import Testing

@testable import TokenCount

@Suite("Sixty-four bytes at once are cut as one scalar at a time")
struct BlockStartsTests {
    static let encodings: [Encoding] = [.o200kBase, .cl100kBase, .llama3, .qwen2, .p50kBase]
    static let cases = encodings.flatMap { encoding in (0..<20).map { (encoding, $0) } }

    @Test("wherever a block starts", arguments: cases)
    func anyText(encoding: Encoding, seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        for _ in 0..<8 {
            let text = Self.text(&random)
            #expect(Self.wrongStarts(in: text, encoding) == [], "\(text.debugDescription)")
        }
    }

    @Test("English is cut without a look at single scalars", arguments: encodings)
    func sureOfEnglish(encoding: Encoding) {
        let text = "The quick brown fox, 1234 of them,\n\n\tjumped (over) the lazy dog. Съешь ещё"

        let block = Self.starts(in: Array(text.utf8), at: 0, encoding)

        #expect(!block.isCut)
    }

    /// Text of few kinds of parts, so that rare neighbours are met.
    private static func text(_ random: inout SplitMix) -> String {
        let all = [
            "a", "B", "word", "Word", "WORD", "б", "Ж", "слово", "ё", "Ё", "џ", "Ѡ", "中", "é", "’", "0", "12",
            "3456", " ",
            "  ", "     ", "\t", "\n", "\r\n", "\n\n", "\u{B}", "/", "//", ".", ",", ";", "-=", "'", "'s",
            "'LL", "\"", "{",
            "\u{0}", "\u{1F}", "\u{7F}", "@", "[", "`", "{", ":", "\u{A0}",
        ]
        let parts = (0..<Int.random(in: 2...12, using: &random)).compactMap { _ in
            all.randomElement(using: &random)
        }
        return (0..<100).reduce(into: "") { text, _ in text += parts.randomElement(using: &random) ?? "" }
    }

    /// The pieces at which a block that starts there says other things than the pieces that follow.
    private static func wrongStarts(in text: String, _ encoding: Encoding) -> [Int] {
        let pieces = encoding.pieces(of: text)
        let bytes = Array(pieces.joined().utf8)
        let ends = pieces.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.utf8.count) }
        return ends.dropLast().filter { start in
            guard start + 96 <= bytes.count else { return false }
            let bits = starts(in: bytes, at: start, encoding).bits
            let said = (0..<64).filter { bits >> UInt64($0) & 1 == 1 }.map { start + $0 }
            return Array(ends.drop { $0 <= start }.prefix(said.count)) != said
        }
    }

    private static func starts(in bytes: [UInt8], at start: Int, _ encoding: Encoding) -> BlockStarts {
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return .none }
            let classes = ByteClasses(BitPlanes(base + start))
            return switch encoding.split {
            case .o200k: O200kSplitter.starts(in: classes)
            case .cl100k: CL100kSplitter.starts(in: classes)
            case .llama3: Llama3Splitter.starts(in: classes)
            case .qwen2: Qwen2Splitter.starts(in: classes)
            case .gpt2: GPT2Splitter.starts(in: classes)
            case .gemma: GemmaSplitter.starts(in: classes)
            }
        }
    }
}
