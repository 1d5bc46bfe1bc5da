@testable import TokenCount

/// Byte pair encoding as its definition reads: quadratic, with no cleverness to be wrong in.
struct MergeReference {
    private let vocabulary: Vocabulary

    init(_ encoding: Encoding) {
        vocabulary = encoding.vocabulary
    }

    /// The tokens of one piece.
    func tokens(of piece: [UInt8]) -> [Int] {
        if let whole = rank(piece[...]) { return [whole] }
        var bounds = vocabulary.unit == .byte ? Array(0...piece.count) : scalarBounds(of: piece)
        while let (_, at) = lowestPair(piece, bounds) {
            bounds.remove(at: at + 1)
        }
        return zip(bounds, bounds.dropFirst()).compactMap { rank(piece[$0..<$1]) }
    }

    /// The ranks of all that is merged on the way when a token is made of its own bytes, without its own.
    func mergesWithin(_ token: [UInt8]) -> [Int] {
        var bounds = vocabulary.unit == .byte ? Array(0...token.count) : scalarBounds(of: token)
        var ranks: [Int] = []
        while bounds.count > 3, let (rank, at) = lowestPair(token, bounds) {
            bounds.remove(at: at + 1)
            ranks.append(rank)
        }
        return ranks
    }

    /// The offsets of scalars, and of the bytes of those that are no token.
    private func scalarBounds(of piece: [UInt8]) -> [Int] {
        var bounds = [0]
        for scalar in String(decoding: piece, as: UTF8.self).unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            let start = bounds.last ?? 0
            bounds += rank(bytes[...]) == nil ? bytes.indices.map { start + $0 + 1 } : [start + bytes.count]
        }
        return bounds
    }

    private func lowestPair(_ piece: [UInt8], _ bounds: [Int]) -> (rank: Int, at: Int)? {
        bounds.indices.dropLast(2)
            .compactMap { at in rank(piece[bounds[at]..<bounds[at + 2]]).map { (rank: $0, at: at) } }
            .min { ($0.rank, $0.at) < ($1.rank, $1.at) }
    }

    private func rank(_ bytes: ArraySlice<UInt8>) -> Int? {
        let rank = bytes.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { vocabulary.rank($0, count: buffer.count, readable: buffer.count) }
        }
        return rank.flatMap { $0 == Vocabulary.none ? nil : Int($0) }
    }
}
