/// Cuts a history to a budget, so that the prefix which is sent stays the same for many turns on end.
///
/// It needs no memory: every replica makes the same cut of the same request, and provider prompt caches keep
/// hitting between two moves of the cut.
///
///     system  tools  | turn  turn  turn | PIN | turn | turn  turn  newest
///     always kept    | dropped: at least k·B  | kept | kept        always kept
///                                                    ^ the cut
public enum ClipPolicy {
    /// Chooses which messages to leave out.
    ///
    /// Always kept are system messages, the newest turn and pinned turns; if the pins do not fit, the oldest
    /// go first. With D tokens above the budget, the cut stands at the first turn boundary before which at
    /// least k·B droppable tokens stand, where k = ⌈D/B⌉. B is the block, but at most a quarter of what the
    /// budget leaves beside all that is always kept, that quarter rounded down to a power of two times 250:
    /// so B does not change while the newest turn grows a little. Where even 250 is too much, and where the
    /// block is 0, the cut is exact.
    ///
    /// A tool call and its result are both kept or both dropped, even when a user message stands between
    /// them. The first message kept behind a cut, system messages aside, is a user's.
    ///
    /// - Parameters:
    ///   - messages: the conversation, oldest first.
    ///   - overheadTokens: what the request costs beside its messages: tools, reply priming.
    ///   - budget: the most that may be sent.
    ///   - blockTokens: the step in which the cut moves.
    /// - Returns: a cut whose `after` is within the budget, unless its `shortfall` says by how much it is
    ///   not. When the whole request fits, nothing is dropped and nothing is asked of its shape.
    /// - Complexity: O(*n*) in the number of messages.
    public static func cut(
        messages: [ClipMessage],
        overheadTokens: Int,
        budget: Int,
        blockTokens: Int
    ) -> Cut {
        let turns = ClipTurns(messages)
        let before = overheadTokens + turns.systemTokens + turns.otherTokens
        let excess = before - budget
        guard excess > 0, let newest = turns.pieces.last else {
            return Cut(before: before, after: before, shortfall: max(0, excess))
        }

        let fixed = overheadTokens + turns.systemTokens + newest.tokens
        let kept = pinsThatFit(in: budget - fixed, of: turns.pieces.dropLast())
        let block = block(atMost: blockTokens, room: budget - fixed - kept.tokens)
        let goal = block > 0 ? (excess + block - 1) / block * block : excess

        var end = 0
        var droppedTokens = 0
        while end < turns.pieces.count - 1, droppedTokens < goal {
            if !kept.positions.contains(end) { droppedTokens += turns.pieces[end].tokens }
            end += 1
        }
        let after = before - droppedTokens
        return Cut(
            dropped: positions(of: turns.pieces, upTo: end, except: kept.positions, in: messages),
            before: before,
            after: after,
            shortfall: max(0, after - budget)
        )
    }

    /// The newest pinned turns that the room holds.
    private static func pinsThatFit(
        in room: Int,
        of pieces: ArraySlice<ClipTurns.Piece>
    ) -> (positions: Set<Int>, tokens: Int) {
        var positions: Set<Int> = []
        var tokens = 0
        for (position, piece) in pieces.enumerated().reversed() where piece.isPinned && piece.isTurn {
            guard tokens + piece.tokens <= room else { break }
            positions.insert(position)
            tokens += piece.tokens
        }
        return (positions, tokens)
    }

    private static func block(atMost blockTokens: Int, room: Int) -> Int {
        let quarter = room / 4
        guard quarter >= 250 else { return 0 }
        var cap = 250
        while cap <= quarter / 2 { cap *= 2 }
        return min(blockTokens, cap)
    }

    private static func positions(
        of pieces: [ClipTurns.Piece],
        upTo end: Int,
        except kept: Set<Int>,
        in messages: [ClipMessage]
    ) -> [Int] {
        (0..<end).lazy.filter { !kept.contains($0) }.flatMap { piece in
            // There is a next piece, since the newest is never dropped.
            (pieces[piece].start..<pieces[piece + 1].start).filter { messages[$0].role != .system }
        }
    }
}
