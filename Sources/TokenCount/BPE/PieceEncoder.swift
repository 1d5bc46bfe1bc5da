internal import Glibc

/// Turns pieces into tokens: by one look-up if the whole piece is a token, else by merging.
///
/// A long piece is cut into parts where its vocabulary's ``Joints`` allow it. A part longer than a window is merged window by window, each overlapping the one before it. A sequence of
/// tokens is the encoding of its bytes exactly when every two neighbours are the encoding of theirs: the first
/// merge across a boundary would happen in the two alone as well. So where two overlapping windows share a token,
/// the tokens of the first up to it and those of the second from it on are one such sequence. If ever two windows
/// share none, which takes a text made for it, the part is merged as a whole.
struct PieceEncoder: ~Copyable {
    private let vocabulary: Vocabulary
    private let joints: Joints
    private let window: Int
    private let overlap: Int
    private var tree = MergeTree()

    /// - Parameters:
    ///   - window: bytes merged at once; the default's scratch memory fits a second-level cache.
    ///   - overlap: bytes that two windows share at least; by default enough for all but the longest tokens to lie
    ///     wholly within. The result is the same for any sizes.
    init(_ vocabulary: Vocabulary, window: Int = 4096, overlap: Int? = nil) {
        self.vocabulary = vocabulary
        joints = vocabulary.joints
        self.window = window
        self.overlap = overlap ?? min(2 * vocabulary.longest, 256)
    }

    /// Adds the tokens of one piece.
    ///
    /// - Parameters:
    ///   - count: at least 1.
    ///   - readable: how many bytes from `piece` on may be read, at least `count`.
    @inline(__always)
    mutating func encode<Sink: TokenSink>(
        _ piece: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        into sink: inout Sink
    ) {
        let rank = vocabulary.rank(piece, count: count, readable: readable)
        if rank != Vocabulary.none {
            sink.add(rank: rank)
        } else if count <= ShortMerge.longest {
            merge(piece, count: count, readable: readable, into: &sink)
        } else {
            mergeByParts(piece, count: count, readable: readable, into: &sink)
        }
    }

    /// The number of tokens of a piece that has no cut.
    @inline(never)
    mutating func countUncut(_ piece: UnsafePointer<UInt8>, count: Int, readable: Int) -> Int {
        if vocabulary.rank(piece, count: count, readable: readable) != Vocabulary.none { return 1 }
        if count <= 3, vocabulary.unit == .byte { return countOfFew(piece, count: count) }
        var tally = Tally()
        merge(piece, count: count, readable: readable, into: &tally)
        return tally.count
    }

    /// The number of tokens of two or three bytes that are none together: one pair at most is merged.
    @inline(__always)
    private func countOfFew(_ piece: UnsafePointer<UInt8>, count: Int) -> Int {
        guard count == 3 else { return count }
        let hasPair =
            vocabulary.pairRank(piece[0], piece[1]) != Vocabulary.none
            || vocabulary.pairRank(piece[1], piece[2]) != Vocabulary.none
        return hasPair ? 2 : 3
    }

    /// Where the part of a piece ends that starts at an offset; see ``Joints/partEnd(of:from:count:readable:)``.
    @inline(__always)
    func partEnd(of piece: UnsafePointer<UInt8>, from start: Int, count: Int, readable: Int) -> Int {
        joints.partEnd(of: piece, from: start, count: count, readable: readable)
    }

    /// The number of tokens of a part, which is not all of its piece.
    @inline(never)
    mutating func countPart(_ part: UnsafePointer<UInt8>, count: Int, readable: Int) -> Int {
        if count < vocabulary.shortestUnmerged { return countUncut(part, count: count, readable: readable) }
        var tally = Tally()
        encodePart(part, count: count, readable: readable, into: &tally)
        return tally.count
    }

    @inline(never)
    private mutating func mergeByParts<Sink: TokenSink>(
        _ piece: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        into sink: inout Sink
    ) {
        var start = 0
        while start < count {
            let end = partEnd(of: piece, from: start, count: count, readable: readable)
            if end &- start == count { return merge(piece, count: count, readable: readable, into: &sink) }
            encodePart(piece + start, count: end &- start, readable: readable &- start, into: &sink)
            start = end
        }
    }

    /// Adds the tokens of a part as merging gives them, which need not give a token that is looked up as a whole.
    @inline(__always)
    private mutating func encodePart<Sink: TokenSink>(
        _ part: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        into sink: inout Sink
    ) {
        let rank = vocabulary.rank(part, count: count, readable: readable)
        if rank == Vocabulary.none {
            merge(part, count: count, readable: readable, into: &sink)
        } else if count < vocabulary.shortestUnmerged {
            sink.add(rank: rank)
        } else {
            mergeByTree(part, count: count, readable: readable, into: &sink)
        }
    }

    @inline(never)
    private mutating func merge<Sink: TokenSink>(
        _ piece: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        into sink: inout Sink
    ) {
        if count <= ShortMerge.longest, vocabulary.unit == .byte {
            let merge = ShortMerge(piece, count: count, readable: readable, in: vocabulary)
            return sink.add(startingAt: merge.starts(), of: piece, count: count, in: vocabulary)
        }
        let before = sink.count
        if count > window {
            if mergeByWindows(piece, count: count, into: &sink) { return }
            sink.rewind(to: before)
        }
        mergeByTree(piece, count: count, readable: readable, into: &sink)
    }

    private mutating func mergeByTree<Sink: TokenSink>(
        _ piece: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        into sink: inout Sink
    ) {
        let parts = tree.merge(piece, count: count, readable: readable, in: vocabulary)
        sink.add(parts, of: piece, in: vocabulary)
    }

    /// - Returns: whether all windows could be joined; if not, what was added is wrong.
    private mutating func mergeByWindows<Sink: TokenSink>(
        _ piece: UnsafePointer<UInt8>,
        count: Int,
        into sink: inout Sink
    ) -> Bool {
        var current = boundaries(of: piece, 0..<window)
        var done = 0
        while let last = current.last, last < count {
            let next = current.last { $0 <= last - overlap } ?? current[0]
            guard next > current[0] else { return false }
            let following = boundaries(of: piece, after: current, from: next, to: min(next + window, count))
            // A token before those that already came from this window would not join to them.
            guard let joint = Self.sharedToken(current, following, endingFrom: done) else { return false }
            addTokens(of: piece, current, from: done, to: joint, into: &sink)
            done = joint
            current = following
        }
        addTokens(of: piece, current, from: done, to: count, into: &sink)
        return true
    }

    /// The boundaries of a window, moved from the window before it if both have the same bytes.
    ///
    /// Rules of dashes, runs of spaces and other repetitions are the common long pieces.
    private mutating func boundaries(
        of piece: UnsafePointer<UInt8>,
        after known: [Int],
        from start: Int,
        to end: Int
    ) -> [Int] {
        let isRepetition =
            known.last == known[0] + (end - start)
            && memcmp(piece + start, piece + known[0], end - start) == 0
        return isRepetition ? known.map { $0 - known[0] + start } : boundaries(of: piece, start..<end)
    }

    /// The offsets in the piece between which its tokens lie, if a part of it is merged alone.
    private mutating func boundaries(of piece: UnsafePointer<UInt8>, _ range: Range<Int>) -> [Int] {
        let parts = tree.merge(
            piece + range.lowerBound,
            count: range.count,
            readable: range.count,
            in: vocabulary
        )
        var found = [range.lowerBound]
        found.reserveCapacity(parts.count + 1)
        parts.forEach { _, end in found.append(range.lowerBound + end) }
        return found
    }

    /// Where the first token ends that stands in both lists of boundaries; nil when there is none.
    private static func sharedToken(_ some: [Int], _ others: [Int], endingFrom least: Int) -> Int? {
        var i = 0
        var j = 0
        var startsTogether = false
        while i < some.count, j < others.count {
            if some[i] == others[j] {
                if startsTogether, some[i] >= least { return some[i] }
                startsTogether = true
                i += 1
                j += 1
            } else {
                startsTogether = false
                if some[i] < others[j] { i += 1 } else { j += 1 }
            }
        }
        return nil
    }

    private func addTokens<Sink: TokenSink>(
        of piece: UnsafePointer<UInt8>,
        _ boundaries: [Int],
        from first: Int,
        to end: Int,
        into sink: inout Sink
    ) {
        for (start, next) in zip(boundaries, boundaries.dropFirst()) where start >= first && next <= end {
            sink.add(piece + start, count: next - start, in: vocabulary)
        }
    }
}
