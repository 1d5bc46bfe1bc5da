import TestSupport
import Testing

@testable import TokenCount

@Suite("A piece is cut only where no token lies")
struct JointsTests {
    static let cases = Encoding.all.flatMap { encoding in (0..<60).map { (encoding, $0) } }

    @Test("no token has a cut within, whatever completes its first and last scalar", arguments: Encoding.all)
    func everyToken(encoding: Encoding) {
        var random = SplitMix(seed: 4)
        let vocabulary = encoding.vocabulary
        let cut = (0..<vocabulary.tokens).filter { rank in
            guard let token = vocabulary.bytes(of: rank).map(Array.init),
                let text = Self.completed(token, &random)
            else { return false }
            return Self.cuts(in: text.bytes, encoding).contains {
                text.token.lowerBound < $0 && $0 < text.token.upperBound
            }
        }

        #expect(cut.isEmpty, "\(cut.prefix(20))")
    }

    @Test("a line of Chinese is cut", arguments: Encoding.all)
    func chinese(encoding: Encoding) {
        let line = Array(String(repeating: "龘靐齉爩鱻麤", count: 20).utf8)

        #expect(Self.cuts(in: line, encoding).count >= 60)
    }

    @Test("parts give the tokens of the whole piece", arguments: cases)
    func parts(encoding: Encoding, seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        for _ in 0..<10 {
            let piece = Self.piece(of: encoding, &random)

            let tokens = Self.tokens(of: piece, encoding)

            #expect(tokens == MergeReference(encoding).tokens(of: piece), "\(piece)")
        }
    }

    /// The tokens that Llama 3 has only as whole pieces: first a piece of their own, then a part of one.
    @Test("a part is not taken for the piece of the same bytes")
    func unmergedTokens() {
        let vocabulary = Encoding.llama3.vocabulary
        let counter = TokenCounter(.llama3)
        let tokens = (0..<vocabulary.tokens).compactMap { vocabulary.bytes(of: $0).map(Array.init) }
        let unmerged = tokens.filter { token in
            token.count >= vocabulary.shortestUnmerged && token.allSatisfy { $0 >= 0x80 }
                && Self.merged(token, vocabulary) > 1
        }
        for token in unmerged {
            #expect(counter.count(token) == 1)
            for piece in [token + Array("龘龘龘龘".utf8), Array("龘龘龘龘".utf8) + token + Array("龘".utf8)] {
                #expect(counter.count(piece) == MergeReference(.llama3).tokens(of: piece).count, "\(piece)")
            }
        }

        #expect(unmerged.count > 5)
    }

    private static func cuts(in piece: [UInt8], _ encoding: Encoding) -> [Int] {
        piece.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return [] }
            let joints = encoding.vocabulary.joints
            var cuts = [0]
            while let last = cuts.last, last < piece.count {
                cuts.append(joints.partEnd(of: start, from: last, count: piece.count, readable: piece.count))
            }
            return cuts.dropFirst().dropLast()
        }
    }

    /// A token with bytes around it that make its first and last scalar whole; nil if none do.
    private static func completed(
        _ token: [UInt8],
        _ random: inout SplitMix
    ) -> (bytes: [UInt8], token: Range<Int>)? {
        let starts: [[UInt8]] =
            switch token.prefix(while: isTrailing).count {
            case 0: [[]]
            case 1: [[0xC3], [0xE5, trail(&random)], [0xF0, 0x9F, trail(&random)]]
            case 2: [[0xE5], [0xF0, 0x9F]]
            default: [[0xF1]]
            }
        let start = starts.randomElement(using: &random) ?? []
        let ends = (0..<12).map { at in (0..<at / 3).map { _ in trail(&random) } }
        return ends.lazy.map { start + token + $0 }
            .first { bytes in
                bytes.withUnsafeBufferPointer { buffer in
                    buffer.baseAddress.map { isValidUTF8($0, count: buffer.count) } ?? false
                }
            }
            .map { ($0, start.count..<start.count + token.count) }
    }

    private static func isTrailing(_ byte: UInt8) -> Bool {
        byte & 0xC0 == 0x80
    }

    private static func trail(_ random: inout SplitMix) -> UInt8 {
        UInt8.random(in: 0x80...0xBF, using: &random)
    }

    /// Tokens side by side, and scalars of one script or of many.
    private static func piece(of encoding: Encoding, _ random: inout SplitMix) -> [UInt8] {
        let alphabets = [
            "的一是不了人我在有他这中大来上国，。", "аеинотсвпр", "しないーカション", "토토데이트스타", "việcợpềuọ", "中aéж가👩👧\u{301}",
        ]
        let scalars = Array(alphabets.randomElement(using: &random)?.unicodeScalars ?? "a".unicodeScalars)
        let vocabulary = encoding.vocabulary
        let text = (0..<Int.random(in: 2...30, using: &random)).reduce(into: [UInt8]()) { text, _ in
            let rank = Int.random(in: 0..<vocabulary.tokens, using: &random)
            let scalar = scalars.randomElement(using: &random).map { Array(String($0).utf8) } ?? []
            let token = vocabulary.bytes(of: rank).map(Array.init) ?? []
            text += Int.random(in: 0..<6, using: &random) == 0 ? token.prefix(24) : scalar[...]
        }
        return Array(String(decoding: text, as: UTF8.self).utf8)
    }

    private static func tokens(of piece: [UInt8], _ encoding: Encoding) -> [Int] {
        var list = RankList()
        var encoder = PieceEncoder(encoding.vocabulary)
        piece.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            encoder.encode(start, count: bytes.count, readable: bytes.count, into: &list)
        }
        return list.ranks
    }

    /// How many parts are left when a token's own bytes are merged.
    private static func merged(_ token: [UInt8], _ vocabulary: Vocabulary) -> Int {
        var tree = MergeTree()
        return token.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return 0 }
            return tree.merge(start, count: bytes.count, readable: bytes.count, in: vocabulary).count
        }
    }
}
