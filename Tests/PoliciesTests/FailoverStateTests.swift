import Policies
import TestSupport
import Testing

@Suite("A plan's attempts are walked until one answers")
struct FailoverStateTests: FailoverWalking {
    private typealias Action = FailoverState.Action

    private let start = ContinuousClock.now
    private var breaker = CircuitBreaker()

    private mutating func pass() -> CircuitBreaker.Admission { breaker.admit(at: start) }

    private func refuse(_ seconds: Int) -> CircuitBreaker.Admission {
        .refuse(until: start + .seconds(seconds))
    }

    @Test("the primary answers")
    mutating func primaryAnswers() {
        var walk = Self.walk(["a", "b"])

        #expect(walk.start() == Self.ask(0))
        #expect(walk.admitted(pass(), at: start) == Self.send(0))
        #expect(walk.answered() == .relay)
        #expect(walk.attemptsHeader == "a=ok")
    }

    @Test("when the time is over nobody else is asked: an answer that is held, else 504")
    mutating func runsOutOfTime() {
        var walk = Self.walk(["a", "b", "c"])
        _ = walk.admitted(pass(), at: start)
        var late = walk
        _ = late.failed(.answered(.rateLimited, status: 429))
        _ = late.admitted(pass(), at: start)

        #expect(walk.ranOutOfTime() == .answer(.gatewayTimeout))
        #expect(walk.attemptsHeader == "a=timeout")
        #expect(late.ranOutOfTime() == .relayHeld)
        #expect(late.attemptsHeader == "a=rate_limited, b=timeout")
    }

    @Test(
        "a failure that is routed around is followed by the next, with the answer held",
        arguments: FallbackSettings.usual
    )
    mutating func routesAround(_ failure: FailureClass) {
        var walk = Self.walk(["a", "b"])
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.answered(failure, status: 429)) == Self.ask(1, hold: true))
        #expect(walk.admitted(pass(), at: start) == Self.send(1))
        #expect(walk.answered() == .relay)
        #expect(walk.attemptsHeader == "a=\(failure.rawValue), b=ok")
    }

    @Test(
        "a failure that is not routed around is relayed",
        arguments: Set(FailureClass.allCases).subtracting(FallbackSettings.usual)
    )
    mutating func relays(_ failure: FailureClass) {
        var walk = Self.walk(["a", "b"])
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.answered(failure, status: 400)) == .relay)
    }

    @Test(
        "a refusal and a caller's limit are never routed around, even if the settings say so",
        arguments: [FailureClass.refused, .callerLimited]
    )
    mutating func neverAround(_ failure: FailureClass) {
        var walk = Self.walk(["a", "b"], on: Set(FailureClass.allCases))
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.answered(failure, status: 429)) == .relay)
    }

    @Test("when all failed the client gets the primary's own answer")
    mutating func primarysOwn() {
        var walk = Self.walk(["a", "b", "c"])
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.answered(.rateLimited, status: 429)) == Self.ask(1, hold: true))
        _ = walk.admitted(pass(), at: start)
        #expect(walk.failed(.answered(.overloaded, status: 529)) == Self.ask(2))
        _ = walk.admitted(pass(), at: start)
        #expect(walk.failed(.answered(.quotaExhausted, status: 429)) == .relayHeld)
        #expect(walk.attemptsHeader == "a=rate_limited, b=overloaded, c=quota_exhausted")
    }

    @Test("a fallback's fault with our rerouted request is not shown to the client")
    mutating func fallbacksFault() {
        var walk = Self.walk(["a", "b"])
        _ = walk.admitted(pass(), at: start)
        _ = walk.failed(.answered(.rateLimited, status: 429))
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.answered(.callerFault, status: 400)) == .relayHeld)
    }

    @Test("a fallback's refusal goes to the client")
    mutating func fallbacksRefusal() {
        var walk = Self.walk(["a", "b"])
        _ = walk.admitted(pass(), at: start)
        _ = walk.failed(.answered(.rateLimited, status: 429))
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.answered(.refused, status: 400)) == .relay)
    }

    @Test("the first that got any answer stands for the primary")
    mutating func firstAnswer() {
        var walk = Self.walk(["a", "b", "c"])
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.unanswered(.timeout)) == Self.ask(1))
        _ = walk.admitted(pass(), at: start)
        #expect(walk.failed(.answered(.overloaded, status: 529)) == Self.ask(2, hold: true))
        _ = walk.admitted(pass(), at: start)
        #expect(walk.failed(.unanswered(.timeout)) == .relayHeld)
    }

    @Test("with no answer at all the first failure gives the status")
    mutating func noAnswer() {
        var silent = Self.walk(["a", "b"])
        _ = silent.admitted(pass(), at: start)
        _ = silent.failed(.unanswered(.timeout))
        _ = silent.admitted(pass(), at: start)
        _ = silent.failed(.unconnected)
        #expect(silent.failed(.unconnected) == .answer(.gatewayTimeout))

        var gone = Self.walk(["a"])
        _ = gone.admitted(pass(), at: start)
        _ = gone.failed(.unconnected)
        #expect(gone.failed(.unconnected) == .answer(.badGateway(.unreachable)))
    }

    @Test("an open primary is passed over without a byte")
    mutating func openPrimary() {
        var walk = Self.walk(["a", "b"])

        #expect(walk.admitted(refuse(10), at: start) == Self.ask(1))
        #expect(walk.admitted(pass(), at: start) == Self.send(1))
        #expect(walk.answered() == .relay)
        #expect(walk.attemptsHeader == "a=open, b=ok")
    }

    @Test("if every target is open, the answer states the shortest remaining time")
    mutating func allOpen() {
        var walk = Self.walk(["a", "b"])

        #expect(walk.admitted(refuse(10), at: start) == Self.ask(1))
        #expect(walk.admitted(refuse(40), at: start) == .answer(.allOpen(retryAfter: .seconds(10))))
        #expect(walk.attemptsHeader == "a=open, b=open")
    }

    @Test("a primary that failed and a fallback that is open: the primary's own answer")
    mutating func failedThenOpen() {
        var walk = Self.walk(["a", "b"])
        _ = walk.admitted(pass(), at: start)
        _ = walk.failed(.answered(.rateLimited, status: 429))

        #expect(walk.admitted(refuse(10), at: start) == .relayHeld)
    }

    @Test("an open primary and a fallback that fails: the fallback's answer")
    mutating func openThenFailed() {
        var walk = Self.walk(["a", "b"])
        _ = walk.admitted(refuse(10), at: start)
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.answered(.rateLimited, status: 429)) == .relay)
    }

    @Test("a chain of one and an unmatched request are never refused", arguments: [nil, "r"])
    mutating func neverRefused(route: String?) {
        var walk = Self.walk(["a"], route: route)

        #expect(walk.start() == .ask(attempt: 0, mayRefuse: false, hold: false))
        #expect(walk.admitted(refuse(10), at: start) == Self.send(0))
        #expect(walk.failed(.answered(.rateLimited, status: 429)) == .relay)
    }

    @Test("what never reached the target is sent once more, on a fresh connection")
    mutating func connectionRetry() {
        var walk = Self.walk(["a", "b"])
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.unconnected) == Self.send(0, fresh: true))
        #expect(walk.failed(.unconnected) == Self.ask(1))
        _ = walk.admitted(pass(), at: start)
        #expect(walk.failed(.unconnected) == Self.send(1, fresh: true))
        #expect(walk.answered() == .relay)
        #expect(walk.attemptsHeader == "a=unreachable, a=unreachable, b=unreachable, b=ok")
    }

    @Test("a first 5xx is sent once more to the same target")
    mutating func faultRetry() {
        var walk = Self.walk(["a", "b"])
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.answered(.upstreamFault, status: 500)) == Self.send(0, fresh: true, hold: true))
        #expect(walk.failed(.answered(.upstreamFault, status: 502)) == Self.ask(1, hold: true))
        _ = walk.admitted(pass(), at: start)
        _ = walk.failed(.answered(.upstreamFault, status: 500))
        #expect(walk.failed(.answered(.upstreamFault, status: 500)) == .relayHeld)
    }

    @Test("an answer that was retried away is relayed when the retry gets none")
    mutating func retriedAway() {
        var walk = Self.walk(["a"])
        _ = walk.admitted(pass(), at: start)
        _ = walk.failed(.answered(.upstreamFault, status: 500))

        #expect(walk.failed(.unanswered(.timeout)) == .relayHeld)
    }

    @Test("a probe's 5xx, an unmatched request's and one of another class are not retried")
    mutating func noFaultRetry() {
        _ = breaker.forceOpen(until: start, at: start)
        var probing = Self.walk(["a", "b"])
        _ = probing.admitted(pass(), at: start)
        #expect(probing.failed(.answered(.upstreamFault, status: 500)) == Self.ask(1, hold: true))

        var unmatched = Self.walk(["a"], route: nil)
        _ = unmatched.admitted(refuse(1), at: start)
        #expect(unmatched.failed(.answered(.upstreamFault, status: 500)) == .relay)

        var overloaded = Self.walk(["a", "b"])
        breaker = CircuitBreaker()
        _ = overloaded.admitted(pass(), at: start)
        #expect(overloaded.failed(.answered(.overloaded, status: 500)) == Self.ask(1, hold: true))
    }

    @Test("a prompt that is too long is clipped to the target's window and sent once more")
    mutating func clipped() {
        var walk = Self.walk(["a", "b"], windows: [8_000, 4_000])
        _ = walk.admitted(pass(), at: start)

        let tooLong = FailoverState.Failure.answered(.contextExceeded, status: 400, sentTokens: 9_000)
        #expect(walk.failed(tooLong) == Self.send(0, budget: 8_000, hold: true))
        #expect(walk.answered() == .relay)
        #expect(walk.attemptsHeader == "a=context_exceeded, a=ok")
    }

    @Test("what was within the window by our count is never sent again as it was")
    mutating func countWasTooLow() {
        var walk = Self.walk(["a"], windows: [8_000])
        _ = walk.admitted(pass(), at: start)

        let tooLong = FailoverState.Failure.answered(.contextExceeded, status: 400, sentTokens: 7_000)
        #expect(walk.failed(tooLong) == Self.send(0, budget: 5_250, hold: true))
        #expect(walk.failed(tooLong) == .relay)
    }

    @Test("what was clipped already goes to the next member with a larger window, past the others")
    mutating func largerWindow() {
        var walk = Self.walk(["a", "b", "c", "d"], windows: [8_000, 8_000, nil, 9_000])
        _ = walk.admitted(pass(), at: start)

        let tooLong = FailoverState.Failure.answered(
            .contextExceeded,
            status: 400,
            sentTokens: 8_000,
            wasClipped: true
        )
        #expect(walk.failed(tooLong) == Self.ask(3, hold: true))
        #expect(walk.admitted(pass(), at: start) == Self.send(3, budget: 9_000))
        #expect(walk.failed(tooLong) == .relayHeld)
    }

    @Test("an unknown window is no reason to try again, but a known one is")
    mutating func unknownWindow() {
        var alone = Self.walk(["a", "b"])
        _ = alone.admitted(pass(), at: start)
        #expect(alone.failed(.answered(.contextExceeded, status: 400)) == .relay)

        var known = Self.walk(["a", "b"], windows: [nil, 9_000])
        _ = known.admitted(pass(), at: start)
        #expect(known.failed(.answered(.contextExceeded, status: 400)) == Self.ask(1, hold: true))
    }

    @Test("a target that the prompt does not fit is skipped; none left is a 400 with the first figures")
    mutating func doesNotFit() {
        var walk = Self.walk(["a", "b"], windows: [8_000, 9_000])
        _ = walk.admitted(pass(), at: start)

        #expect(walk.promptDidNotFit(tokens: 9_500, budget: 8_000) == Self.ask(1))
        _ = walk.admitted(pass(), at: start)
        #expect(
            walk.promptDidNotFit(tokens: 9_600, budget: 9_000)
                == .answer(.promptTooLong(tokens: 9_500, budget: 8_000))
        )
        #expect(walk.attemptsHeader == "a=context_exceeded, b=context_exceeded")
    }

    @Test("a skipped target beside an open one: come back later")
    mutating func doesNotFitAndOpen() {
        var walk = Self.walk(["a", "b"], windows: [8_000, 9_000])
        _ = walk.admitted(pass(), at: start)
        _ = walk.promptDidNotFit(tokens: 9_500, budget: 8_000)

        #expect(walk.admitted(refuse(3), at: start) == .answer(.allOpen(retryAfter: .seconds(3))))
    }

    @Test("when the second try cannot be cut small enough, the target's own answer is relayed")
    mutating func secondTryDoesNotFit() {
        var walk = Self.walk(["a", "b"], windows: [8_000, 4_000])
        _ = walk.admitted(pass(), at: start)
        _ = walk.failed(.answered(.contextExceeded, status: 400, sentTokens: 9_000))

        #expect(walk.promptDidNotFit(tokens: 8_500, budget: 8_000) == .relayHeld)
    }

    @Test("what a model's name may not put into a header becomes an underscore")
    mutating func headerSafe() {
        var walk = Self.walk(["a=b, c\r\nx: é"])
        _ = walk.admitted(pass(), at: start)
        _ = walk.answered()

        #expect(walk.attemptsHeader == "a_b__c__x:___=ok")
    }

    @Test("every walk ends, and relays a held answer only if one was held", arguments: 0..<500)
    mutating func anyWalk(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let count = Int.random(in: 1...4, using: &random)
        let windows = (0..<count).map { _ in
            Bool.random(using: &random) ? Int.random(in: 1...9, using: &random) : nil
        }
        var walk = Self.walk(
            (0..<count).map(String.init),
            windows: windows,
            on: Set(FailureClass.allCases.shuffled(using: &random).prefix(7)),
            patience: .seconds(Int.random(in: 0...2, using: &random)),
            beginning: Int.random(in: 0..<count, using: &random)
        )
        var action = walk.start()
        var holding = false
        var sent = 0
        var waited: [Int] = []
        var hasBegun = false

        for _ in 0..<40 {
            switch action {
            case .ask(_, let mayRefuse, let hold):
                holding = holding || hold
                let refused = mayRefuse && Bool.random(using: &random)
                action = walk.admitted(refused ? refuse(1) : pass(), at: start)
            case .send(_, let budget, _, let hold):
                holding = holding || hold
                sent += 1
                action = Self.anyOutcome(of: &walk, hasBudget: budget != nil, &random)
            case .wait(let delay, let attempt, let hold):
                holding = holding || hold
                waited.append(attempt)
                #expect(delay <= .seconds(2) && Set(waited).count == waited.count)
                action = walk.waited()
            case .relay:
                let isAnswered = walk.outcomes.last?.result == "ok"
                guard isAnswered, Bool.random(using: &random) else {
                    return #expect(sent > 0 && (isAnswered || !hasBegun))
                }
                hasBegun = true
                action = walk.brokeOff(FailureClass.allCases.randomElement(using: &random) ?? .timeout)
            case .breakOff:
                return #expect(hasBegun)
            case .relayHeld:
                return #expect(holding && !hasBegun)
            case .answer(let answer):
                #expect(!hasBegun)
                #expect(!holding, "\(answer) though an answer was held")
                return #expect(walk.outcomes.count >= count || sent > 0)
            }
        }
        Issue.record("still walking: \(walk.attemptsHeader)")
    }

    private static func anyOutcome(of walk: inout FailoverState, hasBudget: Bool, _ random: inout SplitMix)
        -> Action
    {
        let failure = FailureClass.allCases[Int.random(in: 0..<FailureClass.allCases.count, using: &random)]
        switch Int.random(in: 0...9, using: &random) {
        case 0: return walk.answered()
        case 1, 2: return walk.failed(.unconnected)
        case 3: return walk.failed(.unanswered(.timeout))
        case 4 where hasBudget: return walk.promptDidNotFit(tokens: 10, budget: 5)
        case 5: return walk.failed(.unvouched)
        default:
            let clipped = Bool.random(using: &random)
            return walk.failed(
                .answered(failure, status: 500, sentTokens: 5, wasClipped: clipped),
                statedDelay: [nil, .zero, .seconds(1), .seconds(3)].randomElement(using: &random) ?? nil,
                isStillAdmitted: Bool.random(using: &random)
            )
        }
    }
}
