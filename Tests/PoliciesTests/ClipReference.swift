import Policies

/// The rules of clipping, written down a second time: without regard to time, and as the documentation puts them.
struct ClipReference {
    let messages: [ClipMessage]
    let overhead: Int
    let budget: Int
    let blockTokens: Int
    /// The turns but the newest, oldest first, as ranges of positions.
    let olderTurns: [Range<Int>]
    /// Tokens of what is kept in any case, pins aside.
    let fixedTokens: Int
    /// Turns that the configuration wants to be kept; a remnant that no user message begins is none.
    let pinnedTurns: [Range<Int>]
    /// The pinned turns that are kept: the oldest are given up until the rest fits.
    let keptPins: [Range<Int>]
    /// B.
    let block: Int

    init(messages: [ClipMessage], overhead: Int, budget: Int, blockTokens: Int) {
        self.messages = messages
        self.overhead = overhead
        self.budget = budget
        self.blockTokens = blockTokens
        let turns = Self.turns(of: messages)
        olderTurns = Array(turns.dropLast())
        let system = messages.indices.filter { messages[$0].role == .system }
        let fixed =
            overhead + system.reduce(0) { $0 + messages[$1].tokens }
            + Self.tokens(turns.suffix(1), in: messages)
        fixedTokens = fixed
        pinnedTurns = olderTurns.filter { turn in
            messages[turn.lowerBound].role == .user
                && messages[turn].contains { $0.isPinned && $0.role != .system }
        }
        var pins = pinnedTurns[...]
        while !pins.isEmpty, fixed + Self.tokens(pins, in: messages) > budget { pins = pins.dropFirst() }
        keptPins = Array(pins)
        let room = budget - fixed - Self.tokens(pins, in: messages)
        let blocks = (0..<40).map { 250 << $0 }
        block = blocks.last { $0 * 4 <= room }.map { min(blockTokens, $0) } ?? 0
    }

    /// Positions of calls and of their results: the last call of that id before it.
    static func pairs(in messages: [ClipMessage]) -> [(call: Int, result: Int)] {
        var openers: [Int: Int] = [:]
        var pairs: [(call: Int, result: Int)] = []
        for (position, message) in messages.enumerated() {
            if let call = message.answersCall.flatMap({ openers[$0] }) { pairs.append((call, position)) }
            for id in message.opensCalls { openers[id] = position }
        }
        return pairs
    }

    /// A turn begins with each user message that no pair reaches over; the first message begins one in any case.
    private static func turns(of messages: [ClipMessage]) -> [Range<Int>] {
        guard let first = messages.firstIndex(where: { $0.role != .system }) else { return [] }
        let pairs = pairs(in: messages)
        let starts = messages.indices.filter { place in
            messages[place].role == .user && !pairs.contains { $0.call < place && place <= $0.result }
        }
        let boundaries = Set(starts + [first, messages.count]).sorted()
        return zip(boundaries, boundaries.dropFirst()).map { $0..<$1 }
    }

    /// Tokens of turns, without the system messages in them.
    static func tokens(_ turns: some Sequence<Range<Int>>, in messages: [ClipMessage]) -> Int {
        turns.joined().reduce(0) { $0 + (messages[$1].role == .system ? 0 : messages[$1].tokens) }
    }

    var cut: Cut {
        let before = messages.reduce(overhead) { $0 + $1.tokens }
        guard before > budget else { return Cut(before: before, after: before) }
        let excess = Double(before - budget)
        let goal = block > 0 ? Int((excess / Double(block)).rounded(.up)) * block : before - budget

        var dropped: [Range<Int>] = []
        for turn in olderTurns where !keptPins.contains(turn) {
            guard Self.tokens(dropped, in: messages) < goal else { break }
            dropped.append(turn)
        }
        let after = before - Self.tokens(dropped, in: messages)
        return Cut(
            dropped: dropped.joined().filter { messages[$0].role != .system },
            before: before,
            after: after,
            shortfall: max(0, after - budget)
        )
    }
}
