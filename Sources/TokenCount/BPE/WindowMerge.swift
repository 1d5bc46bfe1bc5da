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
    static let room = mostPairs + groups + mostUnits + 1 + mostWords
    /// Four bytes a unit, and eight more.
    private static let mostWords = mostUnits / 2 + 2

    private let vocabulary: Vocabulary
    private let limit: Int
    /// Rank and unit of the pair of tokens of which the first one starts with a unit.
    private let pairs: UnsafeMutablePointer<UInt64>
    /// The lowest of each four pairs.
    private let lowest: UnsafeMutablePointer<UInt64>
    /// Where each unit starts, and where the last one ends, from the window's start.
    private let offsets: UnsafeMutablePointer<UInt64>
    /// Room for the bytes of a window.
    private let copy: UnsafeMutablePointer<UInt8>

    /// The bytes of the window, behind which eight more may be read.
    private var text: UnsafePointer<UInt8>
    /// Where the window starts in its piece.
    private(set) var start = 0
    private var units = 0
    /// A bit for each unit of one byte.
    private var bytes: UInt64 = 0
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
        copy = UnsafeMutableRawPointer(offsets + Self.mostUnits + 1).assumingMemoryBound(to: UInt8.self)
        text = UnsafePointer(copy)
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
        if readable &- end >= 8 {
            text = piece + start
        } else {
            copy.update(from: piece + start, count: offset(of: units))
            text = UnsafePointer(copy)
        }
        rankUnits()
        bounds = mergedBounds()
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
        bytes = 0
        // Which bytes from `at` on start an early pair, known up to an offset.
        var starts: UInt64 = 0
        var known = start
        while laid < limit, at < count {
            if at >= known {
                starts = early.starts(in: piece, from: at, of: start..<count)
                known = at &+ EarlyPairs.stretch
            }
            offsets[laid] = UInt64(truncatingIfNeeded: at &- start)
            var length = 1 &+ Int(truncatingIfNeeded: starts & 1)
            if vocabulary.unit == .scalar, length == 1 {
                length = vocabulary.scalarEnd(in: piece, from: at, count: count, readable: readable) &- at
            }
            bytes |= (length == 1 ? 1 : 0) &<< UInt64(truncatingIfNeeded: laid)
            starts &>>= UInt64(truncatingIfNeeded: length)
            at &+= length
            laid &+= 1
        }
        offsets[laid] = UInt64(truncatingIfNeeded: at &- start)
        units = laid
    }

    /// Ranks all pairs of neighbouring units.
    @inline(__always)
    private func rankUnits() {
        for unit in units &- 1..<Self.mostPairs {
            pairs[unit] = Self.none
        }
        let all = (1 &<< UInt64(truncatingIfNeeded: units &- 1)) &- 1
        let ofTwoBytes = bytes & (bytes &>> 1) & all
        Self.forEachBit(of: ofTwoBytes) { unit in
            let pair = text + offset(of: unit)
            pairs[unit] = ranked(vocabulary.pairRank(pair[0], pair[1]), at: unit)
        }
        Self.forEachBit(of: all & ~ofTwoBytes) { unit in
            let start = offset(of: unit)
            let count = offset(of: unit &+ 2) &- start
            pairs[unit] = ranked(vocabulary.shortRankUnbranched(text + start, count: count), at: unit)
        }
        for group in 0..<Self.groups {
            settle(4 &* group)
        }
    }

    @inline(__always)
    private static func forEachBit(of bits: UInt64, _ body: (Int) -> Void) {
        var left = bits
        while left != 0 {
            body(left.trailingZeroBitCount)
            left &= left &- 1
        }
    }

    /// Merges until no pair is a token.
    @inline(__always)
    private func mergedBounds() -> UInt64 {
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
                end < units ? pair(from: start, to: Self.next(in: bounds, after: end)) : Self.none
            if start > 0 {
                let previous = Self.last(in: bounds, before: start)
                pairs[previous] = pair(from: previous, to: end)
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
    private func pair(from first: Int, to last: Int) -> UInt64 {
        let start = offset(of: first)
        let count = offset(of: last) &- start
        guard count <= 8 else { return longPair(at: first, start: start, count: count) }
        return ranked(vocabulary.rank(text + start, count: count, readable: 8), at: first)
    }

    /// Apart, since the vocabulary would else be copied for each pair.
    @inline(never)
    private func longPair(at unit: Int, start: Int, count: Int) -> UInt64 {
        ranked(vocabulary.longRank(text + start, count: count), at: unit)
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
