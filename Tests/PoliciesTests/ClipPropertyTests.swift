import Policies
import TestSupport
import Testing

@Suite("Whatever the history, a cut is one that providers accept")
struct ClipPropertyTests {
    /// Seeds in groups, so that the runner's cost for each test case does not outweigh the test.
    static let groups = Array(0..<40)
    static let seedsInGroup = 55

    @Test("the result is within the budget, or says by how much it is not", arguments: groups)
    func staysWithinBudget(group: Int) {
        for history in Self.histories(group) {
            let cut = history.cut()

            #expect(
                cut.after == history.overhead + history.tokens(without: cut.dropped),
                "seed \(history.seed)"
            )
            #expect(cut.shortfall == max(0, cut.after - history.budget), "seed \(history.seed)")
            #expect(cut.before == history.overhead + history.tokens(without: []), "seed \(history.seed)")
            #expect(cut == history.cut(), "seed \(history.seed)")
        }
    }

    @Test("no call and no result is left alone, and no system message is dropped", arguments: groups)
    func noOrphans(group: Int) {
        for history in Self.histories(group) {
            let dropped = Set(history.cut().dropped)

            #expect(
                history.pairs.allSatisfy { dropped.contains($0) == dropped.contains($1) },
                "seed \(history.seed)"
            )
            #expect(dropped.allSatisfy { history.messages[$0].role != .system }, "seed \(history.seed)")
        }
    }

    @Test("the first message behind a cut is a user's, and the newest turn is kept", arguments: groups)
    func beginsWithUser(group: Int) {
        for history in Self.histories(group) {
            let cut = history.cut()
            let dropped = Set(cut.dropped)
            let kept = history.messages.indices.filter { !dropped.contains($0) }

            if !dropped.isEmpty {
                #expect(
                    kept.first { history.messages[$0].role != .system }.map { history.messages[$0].role }
                        == .user
                )
            }
            if let newest = history.messages.lastIndex(where: { $0.role == .user }) {
                #expect(dropped.allSatisfy { $0 < newest }, "seed \(history.seed)")
            }
        }
    }

    @Test("an exact cut drops the fewest turns that are enough", arguments: groups)
    func exactCut(group: Int) {
        for var history in Self.histories(group) where history.pins == 0 && history.pairs.isEmpty {
            history.block = 0
            let cut = history.cut()
            guard cut.shortfall == 0, let last = cut.dropped.last else { continue }

            let start = history.messages[...last].lastIndex { $0.role == .user } ?? 0
            let lastTurn = cut.dropped.filter { $0 >= start }.reduce(0) { $0 + history.messages[$1].tokens }
            #expect(cut.after + lastTurn > history.budget, "seed \(history.seed)")
        }
    }

    @Test("over any run of turns the cut moves at most once a block and once more", arguments: groups)
    func movesInBlocks(group: Int) {
        // Sixty growing histories for each seed: a few seeds are thousands of cuts.
        for seed in Self.seeds(group).prefix(3) {
            var random = SplitMix(seed: seed)
            let block = 1_000
            // The newest turn stays below half of the room, so that its quarter is never less than the block.
            var messages = [ClipMessage(.system, tokens: Int.random(in: 0...2_000, using: &random))]
            let budget = 12_000
            var moves = 0
            var added = 0
            var previous: [Int]?

            for _ in 0..<60 {
                let turn = Self.turn(&random, start: messages.count)
                messages += turn
                let cut = ClipPolicy.cut(
                    messages: messages,
                    overheadTokens: 500,
                    budget: budget,
                    blockTokens: block
                )
                #expect(cut.shortfall == 0)
                guard !cut.dropped.isEmpty else { continue }
                if let previous {
                    added += turn.reduce(0) { $0 + $1.tokens }
                    if previous != cut.dropped { moves += 1 }
                    #expect(cut.dropped.starts(with: previous), "the cut moved back, seed \(seed)")
                }
                previous = cut.dropped
            }
            #expect(moves <= (added + block - 1) / block + 1, "seed \(seed)")
            #expect(previous != nil, "seed \(seed): nothing was ever cut")
        }
    }

    private static func turn(_ random: inout SplitMix, start: Int) -> [ClipMessage] {
        var turn = [ClipMessage(.user, tokens: Int.random(in: 1...900, using: &random))]
        if Bool.random(using: &random) {
            turn.append(ClipMessage(.assistant, tokens: 30, opensCalls: [start]))
            turn.append(
                ClipMessage(.tool, tokens: Int.random(in: 1...1_500, using: &random), answersCall: start)
            )
        }
        turn.append(ClipMessage(.assistant, tokens: Int.random(in: 1...900, using: &random)))
        return turn
    }
}

extension ClipPropertyTests {
    private static func seeds(_ group: Int) -> [UInt64] {
        (0..<seedsInGroup).map { UInt64(group * seedsInGroup + $0) }
    }

    private static func histories(_ group: Int) -> [History] {
        seeds(group).map(History.init)
    }

    /// A history of any shape whose every result has a call before it.
    private struct History {
        var seed: UInt64
        var messages: [ClipMessage] = []
        /// Positions of a call and of its result.
        var pairs: [(call: Int, result: Int)] = []
        var overhead: Int
        var budget = 0
        var block: Int

        init(seed: UInt64) {
            self.seed = seed
            var random = SplitMix(seed: seed)
            overhead = Int.random(in: 0...50, using: &random)
            block = [0, 250, 1_000, 4_000][Int.random(in: 0..<4, using: &random)]
            let scale = [10, 400][Int.random(in: 0...1, using: &random)]
            let pins = Int.random(in: 0...3, using: &random) == 0
            let strange = Int.random(in: 0...1, using: &random) == 0
            var open: [(id: Int, position: Int)] = []

            if strange, Bool.random(using: &random) {
                messages.append(ClipMessage(.assistant, tokens: scale))
            }
            messages.append(ClipMessage(.user, tokens: Int.random(in: 0...scale, using: &random)))
            for position in messages.count..<(messages.count + Int.random(in: 0...40, using: &random)) {
                var message = ClipMessage(.assistant, tokens: Int.random(in: 0...scale, using: &random))
                let answerable = open.indices.last { open[$0].position >= (strange ? 0 : lastUser) }
                switch Int.random(in: 0...9, using: &random) {
                case 0: message.role = .system
                case 1...4: message.role = .user
                case 5, 6:
                    if let answerable {
                        let call = open.remove(at: answerable)
                        message.role = .tool
                        message.answersCall = call.id
                        pairs.append((call.position, position))
                    }
                case 7:
                    message.opensCalls = [position, -position]
                    open += [(position, position), (-position, position)]
                default: break
                }
                message.isPinned = pins && Int.random(in: 0...5, using: &random) == 0
                messages.append(message)
            }
            budget = Int.random(in: 0...(tokens(without: []) * 5 / 4 + 10), using: &random)
        }

        private var lastUser: Int { messages.lastIndex { $0.role == .user } ?? 0 }

        var pins: Int { messages.count { $0.isPinned } }

        func tokens(without dropped: [Int]) -> Int {
            let dropped = Set(dropped)
            return messages.indices.filter { !dropped.contains($0) }.reduce(0) { $0 + messages[$1].tokens }
        }

        func cut() -> Cut {
            ClipPolicy.cut(messages: messages, overheadTokens: overhead, budget: budget, blockTokens: block)
        }
    }
}
