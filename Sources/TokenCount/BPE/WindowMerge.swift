internal import Glibc

/// Merges a short window of a long piece as ``MergeTree`` does, in a few cache lines.
///
/// A window has at most ``mostUnits`` units: bytes, scalars, or pairs that ``EarlyMerges`` allows. Its tokens are bits
/// of a number, one for each unit that a token starts with, so neighbours are found by counting zeros. The pairs of
/// tokens stand in groups of four, each with its lowest.
///
/// Borrows a little memory, which the stack has.
struct WindowMerge {
    static var mostUnits: Int { 63 }
    private static let none = UInt64.max
    private static let mostPairs = 64
    private static let groups = 16
    /// How many numbers it wants room for.
    static let room = mostPairs + groups + mostUnits + 1

    private let vocabulary: Vocabulary
    private let limit: Int
    /// Rank and unit of the pair of tokens of which the first one starts with a unit.
    private let pairs: UnsafeMutablePointer<UInt64>
    /// The lowest of each four pairs.
    private let lowest: UnsafeMutablePointer<UInt64>
    /// Where each unit starts, and where the last one ends, from the window's start.
    private let offsets: UnsafeMutablePointer<UInt64>

    /// Where the window starts in its piece.
    private(set) var start = 0
    private var units = 0
    /// A bit for each unit that a token starts with, and one for the end.
    private var bounds: UInt64 = 1

    /// - Parameters:
    ///   - units: how many a window has, 2 to ``mostUnits``.
    ///   - memory: as many numbers as ``room``.
    @inline(__always)
    init(_ vocabulary: Vocabulary, units: Int, memory: UnsafeMutablePointer<UInt64>) {
        self.vocabulary = vocabulary
        limit = units
        pairs = memory
        lowest = memory + Self.mostPairs
        offsets = lowest + Self.groups
        offsets[0] = 0
    }

    /// Where the window ends in its piece.
    @inline(__always)
    var end: Int { start &+ offset(of: units) }

    @inline(__always)
    private func offset(of unit: Int) -> Int {
        Int(truncatingIfNeeded: offsets[unit])
    }

    /// Merges the units of a piece from an offset on.
    ///
    /// - Parameters:
    ///   - start: less than `count`; where a token of the piece starts.
    ///   - count: at least 1.
    ///   - readable: how many bytes from `piece` on may be read, at least `count`.
    @inline(never)
    mutating func merge(
        _ piece: UnsafePointer<UInt8>,
        from start: Int,
        count: Int,
        readable: Int,
        _ early: EarlyPairs
    ) {
        let isRepetition = repeats(piece, from: start, count: count)
        self.start = start
        if isRepetition { return }
        layUnits(piece, from: start, count: count, readable: readable, early)
        let text = piece + start
        rankUnits(of: text, readable: readable &- start)
        bounds = mergedBounds(of: text, readable: readable &- start)
    }

    /// Whether the bytes that start here are those of the window and the one behind it.
    ///
    /// Rules of dashes, runs of spaces and other repetitions are the common long pieces.
    @inline(__always)
    private func repeats(_ piece: UnsafePointer<UInt8>, from start: Int, count: Int) -> Bool {
        let length = offset(of: units) &+ 1
        guard self.start < start, start &+ length <= count else { return false }
        return memcmp(piece + start, piece + self.start, length) == 0
    }

    @inline(__always)
    private mutating func layUnits(
        _ piece: UnsafePointer<UInt8>,
        from start: Int,
        count: Int,
        readable: Int,
        _ early: EarlyPairs
    ) {
        var laid = 0
        var at = start
        while laid < limit, at < count {
            offsets[laid] = UInt64(truncatingIfNeeded: at &- start)
            laid &+= 1
            let isPair = early.hasPair(in: piece, at: at, of: start..<count)
            if vocabulary.unit == .scalar, !isPair {
                at = vocabulary.scalarEnd(in: piece, from: at, count: count, readable: readable)
            } else {
                at &+= isPair ? 2 : 1
            }
        }
        offsets[laid] = UInt64(truncatingIfNeeded: at &- start)
        units = laid
    }

    /// Ranks all pairs of neighbouring units.
    @inline(__always)
    private func rankUnits(of text: UnsafePointer<UInt8>, readable: Int) {
        for unit in 0..<units &- 1 {
            pairs[unit] = firstPair(at: unit, of: text, readable: readable)
        }
        for unit in units &- 1..<Self.mostPairs {
            pairs[unit] = Self.none
        }
        for group in 0..<Self.groups {
            settle(4 &* group)
        }
    }

    /// The pair of two units, which are short but in the oddest texts.
    @inline(__always)
    private func firstPair(at unit: Int, of text: UnsafePointer<UInt8>, readable: Int) -> UInt64 {
        let start = offset(of: unit)
        let count = offset(of: unit &+ 2) &- start
        guard count <= 8, readable &- start >= 8 else {
            return pair(from: unit, to: unit &+ 2, of: text, readable: readable)
        }
        return ranked(vocabulary.shortRankUnbranched(text + start, count: count), at: unit)
    }

    /// Merges until no pair is a token.
    @inline(__always)
    private func mergedBounds(of text: UnsafePointer<UInt8>, readable: Int) -> UInt64 {
        var bounds = UInt64.max &>> UInt64(truncatingIfNeeded: 63 &- units)
        while true {
            let first = lowestOfAll()
            guard first != Self.none else { return bounds }
            let start = Int(truncatingIfNeeded: first & 63)
            let middle = Self.next(in: bounds, after: start)
            let end = Self.next(in: bounds, after: middle)
            bounds &= ~(1 &<< UInt64(truncatingIfNeeded: middle))
            pairs[middle] = Self.none
            pairs[start] =
                end < units
                ? pair(from: start, to: Self.next(in: bounds, after: end), of: text, readable: readable)
                : Self.none
            if start > 0 {
                let previous = Self.last(in: bounds, before: start)
                pairs[previous] = pair(from: previous, to: end, of: text, readable: readable)
                settle(previous)
            }
            settle(start)
            settle(middle)
        }
    }

    @inline(__always)
    private static func next(in bounds: UInt64, after unit: Int) -> Int {
        unit &+ 1 &+ ((bounds &>> 1) &>> UInt64(truncatingIfNeeded: unit)).trailingZeroBitCount
    }

    @inline(__always)
    private static func last(in bounds: UInt64, before unit: Int) -> Int {
        63 &- (bounds & ((1 &<< UInt64(truncatingIfNeeded: unit)) &- 1)).leadingZeroBitCount
    }

    @inline(__always)
    private func pair(from first: Int, to last: Int, of text: UnsafePointer<UInt8>, readable: Int) -> UInt64 {
        let start = offset(of: first)
        let count = offset(of: last) &- start
        return ranked(vocabulary.rank(text + start, count: count, readable: readable &- start), at: first)
    }

    /// Rank and unit in one number, so that the lowest is the leftmost of the lowest rank.
    @inline(__always)
    private func ranked(_ rank: UInt32, at unit: Int) -> UInt64 {
        let key = UInt64(rank) &<< 6 | UInt64(truncatingIfNeeded: unit)
        return key | (0 &- UInt64(rank &>> 31))
    }

    /// Puts right what is kept of a unit's group.
    @inline(__always)
    private func settle(_ unit: Int) {
        let group = pairs + (unit & ~3)
        lowest[unit &>> 2] = min(min(group[0], group[1]), min(group[2], group[3]))
    }

    @inline(__always)
    private func lowestOfAll() -> UInt64 {
        var found = min(min(lowest[0], lowest[1]), min(lowest[2], lowest[3]))
        for i in stride(from: 4, to: Self.groups, by: 4) {
            found = min(found, min(min(lowest[i], lowest[i &+ 1]), min(lowest[i &+ 2], lowest[i &+ 3])))
        }
        return found
    }
}

extension WindowMerge {
    /// Where the window's first token ends in its piece.
    @inline(__always)
    var firstEnd: Int { start &+ offset(of: Self.next(in: bounds, after: 0)) }

    /// The last token that ends so many units before the window's end, as a range of its piece; nil when there is none.
    @inline(__always)
    func lastToken(unitsBeforeEnd distance: Int) -> Range<Int>? {
        guard units > distance else { return nil }
        let end = Self.last(in: bounds, before: units &- distance &+ 1)
        guard end > 0 else { return nil }
        return start &+ offset(of: Self.last(in: bounds, before: end))..<start &+ offset(of: end)
    }

    /// Adds the tokens that lie between two offsets of the piece at which tokens start.
    @inline(__always)
    func addTokens<Sink: TokenSink>(
        from first: Int,
        to end: Int,
        of piece: UnsafePointer<UInt8>,
        into sink: inout Sink
    ) {
        var left = bounds
        for _ in 0..<bounds.nonzeroBitCount &- 1 {
            let unit = left.trailingZeroBitCount
            left &= left &- 1
            let token = start &+ offset(of: unit)
            guard token < end else { return }
            let next = start &+ offset(of: left.trailingZeroBitCount)
            if token >= first { sink.add(piece + token, count: next &- token, in: vocabulary) }
        }
    }
}
