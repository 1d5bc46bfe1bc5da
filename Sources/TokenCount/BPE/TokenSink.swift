/// Where found tokens go.
protocol TokenSink {
    /// How many tokens came so far.
    var count: Int { get }
    /// True when no more are wanted; asked after each piece.
    var isFull: Bool { get }
    /// Whether numbers of tokens are enough, so that remembered ones will do.
    static var takesCounts: Bool { get }

    /// Takes the number of a piece's tokens.
    ///
    /// - Precondition: ``takesCounts``.
    mutating func add(count: Int)
    /// Takes a token that was found by its rank.
    mutating func add(rank: UInt32)
    /// Takes all parts of a merged piece.
    mutating func add(_ parts: MergedParts, of piece: UnsafePointer<UInt8>, in vocabulary: Vocabulary)
    /// Takes all parts of a merged piece; a bit stands for each byte that one starts with.
    mutating func add(
        startingAt starts: UInt32,
        of piece: UnsafePointer<UInt8>,
        count: Int,
        in vocabulary: Vocabulary
    )
    /// Takes one part of a merged piece.
    mutating func add(_ part: UnsafePointer<UInt8>, count: Int, in vocabulary: Vocabulary)
    /// Forgets all but the first tokens.
    mutating func rewind(to count: Int)
}

/// Counts tokens, up to a limit.
struct Tally: TokenSink {
    private(set) var count = 0
    private let limit: Int

    init(limit: Int = .max) {
        self.limit = limit
    }

    /// True when there are more than the limit.
    @inline(__always)
    var isFull: Bool { count > limit }

    static var takesCounts: Bool { true }

    @inline(__always)
    mutating func add(count: Int) {
        self.count &+= count
    }

    @inline(__always)
    mutating func add(rank: UInt32) {
        count &+= 1
    }

    @inline(__always)
    mutating func add(_ parts: MergedParts, of piece: UnsafePointer<UInt8>, in vocabulary: Vocabulary) {
        count &+= parts.count
    }

    @inline(__always)
    mutating func add(
        startingAt starts: UInt32,
        of piece: UnsafePointer<UInt8>,
        count: Int,
        in vocabulary: Vocabulary
    ) {
        self.count &+= starts.nonzeroBitCount
    }

    @inline(__always)
    mutating func add(_ part: UnsafePointer<UInt8>, count: Int, in vocabulary: Vocabulary) {
        self.count &+= 1
    }

    mutating func rewind(to count: Int) {
        self.count = count
    }
}

/// Collects the ranks of tokens.
struct RankList: TokenSink {
    private(set) var ranks: [Int] = []

    var count: Int { ranks.count }
    var isFull: Bool { false }
    static var takesCounts: Bool { false }

    mutating func add(count: Int) {
        preconditionFailure("a number of tokens does not say which")
    }

    mutating func add(rank: UInt32) {
        ranks.append(Int(rank))
    }

    mutating func add(_ parts: MergedParts, of piece: UnsafePointer<UInt8>, in vocabulary: Vocabulary) {
        parts.forEach { start, end in
            add(piece + start, count: end - start, in: vocabulary)
        }
    }

    mutating func add(
        startingAt starts: UInt32,
        of piece: UnsafePointer<UInt8>,
        count: Int,
        in vocabulary: Vocabulary
    ) {
        var left = starts
        while left != 0 {
            let start = left.trailingZeroBitCount
            left &= left - 1
            add(piece + start, count: min(left.trailingZeroBitCount, count) - start, in: vocabulary)
        }
    }

    mutating func add(_ part: UnsafePointer<UInt8>, count: Int, in vocabulary: Vocabulary) {
        ranks.append(Int(vocabulary.rank(part, count: count, readable: count)))
    }

    mutating func rewind(to count: Int) {
        ranks.removeLast(ranks.count - count)
    }
}
