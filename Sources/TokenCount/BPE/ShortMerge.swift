/// Merges the bytes of a short piece as ``MergeTree`` does, without its memory.
///
/// The parts are bits of a number, so neighbours are found by counting zeros.
struct ShortMerge {
    /// Length of the longest piece that is merged so.
    static var longest: Int { 16 }
    private static let none = UInt64.max

    private let piece: UnsafePointer<UInt8>
    private let count: Int
    private let readable: Int
    private let vocabulary: Vocabulary

    /// - Precondition: the piece is no token and has at most ``longest`` bytes; merging starts from its bytes.
    @inline(__always)
    init(_ piece: UnsafePointer<UInt8>, count: Int, readable: Int, in vocabulary: Vocabulary) {
        self.piece = piece
        self.count = count
        self.readable = readable
        self.vocabulary = vocabulary
    }

    /// Merges until no pair is a token.
    ///
    /// - Returns: a bit for each byte that a part starts with.
    @inline(__always)
    func starts() -> UInt32 {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.longest) { memory in
            guard let pairs = memory.baseAddress else { return 0 }
            memory.initialize(repeating: Self.none)
            for i in 0..<count &- 1 {
                pairs[i] = ranked(vocabulary.pairRank(piece[i], piece[i &+ 1]), at: i)
            }
            // One bit more than there are bytes, where the last part ends.
            var bounds: UInt32 = (2 &<< UInt32(truncatingIfNeeded: count)) &- 1
            while true {
                let lowest = lowest(of: pairs)
                guard lowest != Self.none else { break }
                merge(at: Int(truncatingIfNeeded: lowest & 31), &bounds, pairs)
            }
            return bounds & ~(1 &<< UInt32(truncatingIfNeeded: count))
        }
    }

    /// Merges the part that starts at an offset with the one behind it.
    @inline(__always)
    private func merge(at start: Int, _ bounds: inout UInt32, _ pairs: UnsafeMutablePointer<UInt64>) {
        let middle = Self.next(in: bounds, after: start)
        let end = Self.next(in: bounds, after: middle)
        bounds &= ~(1 &<< UInt32(truncatingIfNeeded: middle))
        pairs[middle] = Self.none
        pairs[start] = end < count ? pair(from: start, to: Self.next(in: bounds, after: end)) : Self.none
        guard start > 0 else { return }
        let before = bounds & ((1 &<< UInt32(truncatingIfNeeded: start)) &- 1)
        let previous = 31 &- before.leadingZeroBitCount
        pairs[previous] = pair(from: previous, to: end)
    }

    /// Numbers of 64 bits, for which no vector is used: one could not be read so soon after one of them was written.
    @inline(__always)
    private func lowest(of pairs: UnsafeMutablePointer<UInt64>) -> UInt64 {
        var lowest = min(min(pairs[0], pairs[1]), min(pairs[2], pairs[3]))
        for i in stride(from: 4, to: count &- 1, by: 4) {
            lowest = min(lowest, min(min(pairs[i], pairs[i &+ 1]), min(pairs[i &+ 2], pairs[i &+ 3])))
        }
        return lowest
    }

    @inline(__always)
    private static func next(in bounds: UInt32, after start: Int) -> Int {
        start &+ 1 &+ (bounds &>> UInt32(truncatingIfNeeded: start &+ 1)).trailingZeroBitCount
    }

    @inline(__always)
    private func pair(from start: Int, to end: Int) -> UInt64 {
        guard end &- start < count else { return Self.none }
        return ranked(
            vocabulary.rank(piece + start, count: end &- start, readable: readable &- start),
            at: start
        )
    }

    /// Rank and offset in one number, so that the lowest is the leftmost of the lowest rank.
    @inline(__always)
    private func ranked(_ rank: UInt32, at start: Int) -> UInt64 {
        rank == Vocabulary.none ? Self.none : UInt64(rank) &<< 5 | UInt64(truncatingIfNeeded: start)
    }
}
