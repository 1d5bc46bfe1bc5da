/// How a very long piece is merged.
///
/// A sequence of tokens is the encoding of its bytes exactly when every two neighbours are the encoding of theirs: the
/// first merge across a boundary would happen in the two alone as well. So where two texts that overlap share a token,
/// the tokens of the first up to it and those of the second from it on are one such sequence.
///
/// Each block starts with a token that the block before it has, and so does each window within a block. A block whose
/// windows do not meet is merged at once; if that does not meet the block before it, which takes a text made for it,
/// the whole piece is.
extension PieceEncoder {
    /// So many units at the end of a window may belong to other tokens in the block, if it has ordinary ones.
    private static var unsureUnits: Int { 8 }

    /// So many bytes at the end of a block may belong to other tokens in the piece.
    ///
    /// Far more than ordinary texts need: a run of pairs that merge from its right end depends on where it is cut, and a
    /// block that does not meet the next one costs the whole piece its blocks.
    private static func unsureBytes(of count: Int) -> Int { min(256, count / 8) }

    /// The number of tokens of a piece that is longer than a block and no token itself.
    @inline(never)
    mutating func countLong(
        _ piece: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        known: BlockSlots
    ) -> Int {
        if vocabulary.rank(piece, count: count, readable: readable) != Vocabulary.none { return 1 }
        var tally = Tally()
        mergeByBlocks(piece, count: count, readable: readable, known: known, into: &tally)
        return tally.count
    }

    /// Adds the tokens of a piece that is longer than a block.
    @inline(never)
    mutating func mergeByBlocks<Sink: TokenSink>(
        _ piece: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        known: BlockSlots?,
        into sink: inout Sink
    ) {
        let before = sink.count
        // The token with which two blocks meet; up to its end tokens are added.
        var seam = 0..<0
        while seam.upperBound < count {
            let start = seam.lowerBound
            let isLast = count - start <= block
            let text = Block(
                start: piece + start,
                count: isLast ? count - start : block,
                readable: readable - start,
                first: seam.count,
                isLast: isLast
            )
            guard let token = encode(text, known: known, into: &sink) else {
                sink.rewind(to: before)
                return mergeByTree(piece, count: count, readable: readable, into: &sink)
            }
            seam = start + token.lowerBound..<start + token.upperBound
        }
    }

    /// Adds the tokens of a block: as many as are remembered of one with the same bytes, else by merging.
    ///
    /// - Returns: its last token that is sure, up to which they are added; nil if it does not start with the token that
    ///   it should.
    private mutating func encode<Sink: TokenSink>(
        _ block: Block,
        known: BlockSlots?,
        into sink: inout Sink
    ) -> Range<Int>? {
        guard Sink.takesCounts, !block.isLast, let known else { return merge(block, into: &sink) }
        let print = BlockPrint(block.start, count: block.count, first: block.first)
        if let result = known.result(of: print) {
            sink.add(count: result.tokens)
            return result.last
        }
        let before = sink.count
        guard let last = merge(block, into: &sink) else { return nil }
        known.add(BlockResult(tokens: sink.count - before, last: last), of: print)
        return last
    }

    private mutating func merge<Sink: TokenSink>(_ block: Block, into sink: inout Sink) -> Range<Int>? {
        let before = sink.count
        if let last = mergeByWindows(block, into: &sink) { return last }
        sink.rewind(to: before)
        return mergeAtOnce(block, into: &sink)
    }

    private func mergeByWindows<Sink: TokenSink>(_ block: Block, into sink: inout Sink) -> Range<Int>? {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: WindowMerge.room) { memory in
            guard let memory = memory.baseAddress else { return nil }
            var window = WindowMerge(vocabulary, units: units, memory: memory)
            return vocabulary.earlyMerges.withPairs {
                Self.merge(block, by: &window, $0, into: &sink)
            }
        }
    }

    @inline(__always)
    private static func merge<Sink: TokenSink>(
        _ block: Block,
        by window: inout WindowMerge,
        _ early: EarlyPairs,
        into sink: inout Sink
    ) -> Range<Int>? {
        var seam = 0..<block.first
        var sure: (token: Range<Int>, count: Int)?
        while true {
            window.merge(
                block.start,
                from: seam.lowerBound,
                count: block.count,
                readable: block.readable,
                early
            )
            guard seam.isEmpty || window.firstEnd == seam.upperBound else { return nil }
            if window.end == block.count, block.isLast {
                window.addTokens(from: seam.upperBound, to: block.count, of: block.start, into: &sink)
                return block.count..<block.count
            } else if window.end == block.count {
                guard let sure else { return nil }
                sink.rewind(to: sure.count)
                return sure.token
            }
            guard let token = window.lastToken(unitsBeforeEnd: unsureUnits),
                token.upperBound > seam.upperBound
            else { return nil }
            window.addTokens(from: seam.upperBound, to: token.upperBound, of: block.start, into: &sink)
            seam = token
            if token.upperBound <= block.count - unsureBytes(of: block.count) { sure = (token, sink.count) }
        }
    }

    private mutating func mergeAtOnce<Sink: TokenSink>(_ block: Block, into sink: inout Sink) -> Range<Int>? {
        // Enough at the end for all but the longest tokens to lie wholly within.
        let unsure = block.isLast ? 0 : min(2 * vocabulary.longest, block.count / 8)
        let parts = tree.merge(block.start, count: block.count, readable: block.readable, in: vocabulary)
        var isMet = block.first == 0
        var last = 0..<0
        parts.forEach { start, end in
            if start == 0, end == block.first { isMet = true }
            guard end <= block.count - unsure else { return }
            last = start..<end
            if start >= block.first { sink.add(block.start + start, count: end - start, in: vocabulary) }
        }
        return isMet && last.upperBound > block.first ? last : nil
    }
}

/// A stretch of a piece that is merged by itself.
private struct Block {
    let start: UnsafePointer<UInt8>
    let count: Int
    /// How many bytes from `start` on may be read.
    let readable: Int
    /// The length of its first token, which is the last one of the block before it; 0 for the first block.
    let first: Int
    let isLast: Bool
}
