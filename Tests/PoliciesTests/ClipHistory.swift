import Policies
import TestSupport

/// A conversation that grows, as clients send it: whole, with every request.
///
/// It has what real ones have, and what they should not: system messages anywhere, calls in parallel, calls that
/// are answered behind a later user message or never, results without a call, ids that are used again, pinned
/// turns, and a beginning that was cut off elsewhere.
struct ClipHistory: Sendable {
    let seed: UInt64
    private(set) var messages: [ClipMessage] = []
    /// How many messages each request has.
    private(set) var requests: [Int] = []
    private(set) var overhead = 0
    private(set) var budget = 0
    private(set) var block = 0

    private var random: SplitMix
    /// Calls that wait for a result, oldest first.
    private var open: [Int] = []
    private var lastCall = 0
    private let sizes: ClosedRange<Int>
    private let hasPins: Bool
    private let reusesIDs: Bool

    init(seed: UInt64) {
        self.seed = seed
        random = SplitMix(seed: seed)
        let largest = [40, 900, 3_000, 9_000][Int(random.next() % 4)]
        sizes = 0...largest
        hasPins = random.next() % 3 == 0
        reusesIDs = random.next() % 4 == 0
        overhead = Int(random.next() % UInt64(largest + 1))
        block = [0, 250, 1_000, 4_000][Int(random.next() % 4)]
        begin()
        for _ in 0..<(1 + random.next() % 7) { addTurn() }
        let total = messages.reduce(overhead) { $0 + $1.tokens }
        // Most leave some room: without it every cut is exact.
        let least = random.next() % 4 == 0 ? 0 : total / 3
        budget = least + Int(random.next() % UInt64(total * 5 / 4 - least + 10))
    }

    /// The cut of one request.
    func cut(of count: Int) -> Cut {
        ClipPolicy.cut(
            messages: Array(messages.prefix(count)),
            overheadTokens: overhead,
            budget: budget,
            blockTokens: block
        )
    }

    /// The cut of the last request.
    func cut() -> Cut { cut(of: messages.count) }

    private mutating func begin() {
        if random.next() % 2 == 0 { add(.system) }
        guard random.next() % 8 == 0 else { return }
        // A remnant: another program has cut before us.
        add(.tool, answers: -1)
        add(.assistant)
    }

    private mutating func addTurn() {
        add(.user)
        requests.append(messages.count)
        if reusesIDs { (open, lastCall) = ([], 0) }
        for _ in 0..<(random.next() % 3) { addToolRound() }
        if random.next() % 8 != 0 { add(.assistant) }
        if random.next() % 16 == 0 { add(.system) }
    }

    private mutating func addToolRound() {
        let calls = (0..<(1 + random.next() % 2)).map { _ in
            lastCall += 1
            return lastCall
        }
        add(.assistant, opens: calls)
        open += calls
        if random.next() % 16 == 0 { add(.user) }
        if random.next() % 16 == 0 { add(.system) }
        if random.next() % 16 == 0 { add(.tool, answers: -1) }
        // The rest is answered in a later round, or never.
        let answered = random.next() % 8 == 0 ? open.prefix(1) : open[...]
        for call in answered { add(.tool, answers: call) }
        open.removeFirst(answered.count)
        requests.append(messages.count)
    }

    private mutating func add(_ role: ClipMessage.Role, opens calls: [Int] = [], answers call: Int? = nil) {
        let number = random.next()
        messages.append(
            ClipMessage(
                role,
                tokens: Int(number % UInt64(sizes.upperBound + 1)),
                opensCalls: calls,
                answersCall: call,
                isPinned: hasPins && number >> 32 % 8 == 0
            )
        )
    }
}
