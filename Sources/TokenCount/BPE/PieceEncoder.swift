/// Turns pieces into tokens: by one look-up if the whole piece is a token, else by merging.
///
/// A long piece is cut into parts where its vocabulary's ``Joints`` allow it, a very long one is merged block by block;
/// `PieceEncoder+Blocks.swift` says how.
struct PieceEncoder: ~Copyable {
    let vocabulary: Vocabulary
    private let joints: Joints
    let block: Int
    let units: Int
    var tree = MergeTree()

    /// - Parameters:
    ///   - block: bytes merged at once at most; the default's scratch memory fits a second-level cache.
    ///   - units: how many a window of a block has, 2 to ``WindowMerge/mostUnits``. The result is the same for any
    ///     sizes.
    init(_ vocabulary: Vocabulary, block: Int = 4096, units: Int = WindowMerge.mostUnits) {
        self.vocabulary = vocabulary
        joints = vocabulary.joints
        self.block = block
        self.units = units
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
        } else if count > block, !isCutShort(piece, count: count, readable: readable) {
            mergeByBlocks(piece, count: count, readable: readable, known: nil, into: &sink)
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

    /// Whether cuts are so near to each other at the start of a very long piece that it is better merged by parts.
    func isCutShort(_ piece: UnsafePointer<UInt8>, count: Int, readable: Int) -> Bool {
        let parts = 32
        let mostBytes = 5 * parts
        var end = 0
        for _ in 0..<parts where end < count && end <= mostBytes {
            end = partEnd(of: piece, from: end, count: count, readable: readable)
        }
        return end <= mostBytes
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
        if count > block {
            return mergeByBlocks(piece, count: count, readable: readable, known: nil, into: &sink)
        }
        mergeByTree(piece, count: count, readable: readable, into: &sink)
    }

    mutating func mergeByTree<Sink: TokenSink>(
        _ piece: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        into sink: inout Sink
    ) {
        let parts = tree.merge(piece, count: count, readable: readable, in: vocabulary)
        sink.add(parts, of: piece, in: vocabulary)
    }
}
