import Policies
import Testing

@Suite("Whatever the history, a cut is one that providers accept")
struct ClipPropertyTests {
    /// 10,000 histories, in groups: the runner's cost for a test case outweighs that of a history.
    static let groups = 0..<100

    @Test("the result is within the budget, or says by how much it is not", arguments: groups)
    func staysWithinBudget(group: Int) {
        let broken = Self.histories(group).filter { history in
            let cut = history.cut()
            // Over the budget only where all that may be dropped is.
            let isLeast = cut.shortfall == 0 || cut.after == history.reference.fixedTokens
            return !isLeast || cut.shortfall != max(0, cut.after - history.budget)
        }

        #expect(broken.map(\.seed) == [])
    }

    @Test("dropped and kept are all there is, in messages and in tokens", arguments: groups)
    func addsUp(group: Int) {
        let broken = Self.histories(group).filter { history in
            let cut = history.cut()
            let kept = history.kept(by: cut)
            let isInOrder = zip(cut.dropped, cut.dropped.dropFirst()).allSatisfy { $0 < $1 }
            return !isInOrder || kept.count + cut.dropped.count != history.messages.count
                || cut.before != history.overhead + history.tokens(of: history.messages.indices)
                || cut.after != history.overhead + history.tokens(of: kept)
                || cut.before - cut.after != history.tokens(of: cut.dropped)
        }

        #expect(broken.map(\.seed) == [])
    }

    @Test("no call and no result is left alone, and no system message is dropped", arguments: groups)
    func noOrphans(group: Int) {
        let broken = Self.histories(group).filter { history in
            let dropped = Set(history.cut().dropped)
            return dropped.contains { history.messages[$0].role == .system }
                || ClipReference.pairs(in: history.messages).contains {
                    dropped.contains($0.call) != dropped.contains($0.result)
                }
        }

        #expect(broken.map(\.seed) == [])
    }

    @Test("the first message behind a cut is a user's, and the newest turn is kept", arguments: groups)
    func beginsWithUser(group: Int) {
        let broken = Self.histories(group).filter { history in
            let cut = history.cut()
            guard let last = cut.dropped.last else { return false }
            let first = history.kept(by: cut).first { history.messages[$0].role != .system }
            let newest = history.messages.lastIndex { $0.role == .user }
            return first.map { history.messages[$0].role } != .user || last > newest ?? -1
        }

        #expect(broken.map(\.seed) == [])
    }

    @Test("a pinned turn is given up only because it and the newer ones do not fit", arguments: groups)
    func pins(group: Int) {
        let broken = Self.histories(group).filter { history in
            let reference = history.reference
            let dropped = Set(history.cut().dropped)
            let isDropped = reference.pinnedTurns.map { dropped.contains($0.lowerBound) }
            // The oldest first: behind one that is kept none is given up.
            let givenUp = isDropped.prefix { $0 }.count
            guard !isDropped.dropFirst(givenUp).contains(true) else { return true }
            guard givenUp > 0 else { return false }
            let pins = ClipReference.tokens(reference.pinnedTurns[(givenUp - 1)...], in: history.messages)
            return reference.fixedTokens + pins <= history.budget
        }

        #expect(broken.map(\.seed) == [])
    }

    @Test("it is the cut that a second reading of the rules makes", arguments: groups)
    func agreesWithReference(group: Int) {
        let broken = Self.histories(group).filter { $0.cut() != $0.reference.cut }

        #expect(broken.map(\.seed) == [])
    }

    @Test("another process makes the same cuts")
    func knownCuts() {
        var hasher = StableHasher()
        let cuts = (0..<10).flatMap(Self.histories).map { $0.cut() }
        for cut in cuts { hasher.combine("\(cut.dropped) \(cut.before) \(cut.after) \(cut.shortfall)") }

        #expect(cuts.count { !$0.dropped.isEmpty } == 650)
        #expect(hasher.finalize().hexadecimal == "eee6b5060694b61c8d0792c749c60fac")
    }

    @Test(
        "over any run of requests the cut moves at most once for each block that was added",
        arguments: groups
    )
    func movesInBlocks(group: Int) {
        let histories = Self.histories(group).filter { $0.block > 0 && !$0.cut().dropped.isEmpty }
        let broken = histories.filter { !$0.runsOfOneBlock.allSatisfy(\.movesInBlocks) }

        #expect(broken.map(\.seed) == [])
        #expect(!histories.isEmpty)
    }

    /// By their seeds; made once, since making them costs more than cutting them.
    private static let allHistories = (0..<UInt64(10_000)).map(ClipHistory.init)

    private static func histories(_ group: Int) -> ArraySlice<ClipHistory> {
        allHistories[group * 100..<(group + 1) * 100]
    }
}

/// Requests on end for which B is the same, and no pinned turn is given up or taken back.
///
/// B follows what is always kept: a long newest turn or a pin makes it smaller for a while, and the cut may then
/// move once more, or back.
private struct ClipRun {
    let block: Int
    let givenUpPins: [Range<Int>]
    var cuts: [Cut] = []

    /// Whether between any two of the requests the cut moves at most ⌈tokens added / B⌉ times, and never back.
    var movesInBlocks: Bool {
        guard zip(cuts, cuts.dropFirst()).allSatisfy({ $1.dropped.starts(with: $0.dropped) }) else {
            return false
        }
        return cuts.indices.allSatisfy { start in
            var moves = 0
            return cuts.indices[(start + 1)...].allSatisfy { place in
                if cuts[place].dropped.count != cuts[place - 1].dropped.count { moves += 1 }
                return moves * block < cuts[place].before - cuts[start].before + block
            }
        }
    }
}

extension ClipHistory {
    /// The rules applied to the last request.
    fileprivate var reference: ClipReference { reference(of: messages.count) }

    private func reference(of count: Int) -> ClipReference {
        ClipReference(
            messages: Array(messages.prefix(count)),
            overhead: overhead,
            budget: budget,
            blockTokens: block
        )
    }

    fileprivate func kept(by cut: Cut) -> [Int] {
        let dropped = Set(cut.dropped)
        return messages.indices.filter { !dropped.contains($0) }
    }

    fileprivate func tokens(of positions: some Sequence<Int>) -> Int {
        positions.reduce(0) { $0 + messages[$1].tokens }
    }

    /// All requests in runs, but those with an exact cut.
    fileprivate var runsOfOneBlock: [ClipRun] {
        var runs: [ClipRun] = []
        for count in requests {
            let reference = reference(of: count)
            let givenUp = Array(reference.pinnedTurns.dropLast(reference.keptPins.count))
            if runs.last?.block != reference.block || runs.last?.givenUpPins != givenUp {
                runs.append(ClipRun(block: reference.block, givenUpPins: givenUp))
            }
            runs[runs.count - 1].cuts.append(cut(of: count))
        }
        return runs.filter { $0.block > 0 }
    }
}
