import Policies
import TestSupport
import Testing

@Suite("A breaker opens by what a target's answers say")
struct CircuitBreakerTests {
    private var breaker = CircuitBreaker()
    private let start = ContinuousClock.now

    private static let limited = CircuitBreaker.Outcome.failed(.rateLimited)

    /// Opens it with one rate limit.
    private mutating func trip(_ stated: Duration? = nil, at now: ContinuousClock.Instant) throws {
        let ticket = try #require(breaker.admit(at: now).passed)
        _ = breaker.record(.failed(.rateLimited, statedDelay: stated), for: ticket, at: now)
    }

    @Test("a closed breaker lets everything pass")
    mutating func passes() {
        #expect(breaker.admit(at: start).passed != nil)
        #expect(breaker.admit(at: start).passed != nil)
        #expect(breaker.status(at: start) == .closed)
    }

    @Test("one limited answer opens it", arguments: [FailureClass.rateLimited, .quotaExhausted, .overloaded])
    mutating func opensAtOnce(_ failure: FailureClass) throws {
        let ticket = try #require(breaker.admit(at: start).passed)

        #expect(
            breaker.record(.failed(failure), for: ticket, at: start) == .opened(until: start + .seconds(15))
        )
        #expect(breaker.admit(at: start + .seconds(14)) == .refuse(until: start + .seconds(15)))
        #expect(breaker.status(at: start + .seconds(5)) == .open(remaining: .seconds(10)))
    }

    @Test(
        "five failures in a row open it",
        arguments: [FailureClass.upstreamFault, .timeout, .unreachable, .regionBlocked]
    )
    mutating func opensAfterFive(_ failure: FailureClass) throws {
        for _ in 1...4 {
            let ticket = try #require(breaker.admit(at: start).passed)
            #expect(breaker.record(.failed(failure), for: ticket, at: start) == nil)
        }
        let ticket = try #require(breaker.admit(at: start).passed)

        #expect(
            breaker.record(.failed(failure), for: ticket, at: start) == .opened(until: start + .seconds(15))
        )
    }

    @Test(
        "an answer in between starts the row anew",
        arguments: [.success, .failed(.contextExceeded), .failed(.refused)] as [CircuitBreaker.Outcome]
    )
    mutating func rowIsBroken(_ outcome: CircuitBreaker.Outcome) throws {
        let ticket = try #require(breaker.admit(at: start).passed)
        for _ in 1...4 { _ = breaker.record(.failed(.timeout), for: ticket, at: start) }
        _ = breaker.record(outcome, for: ticket, at: start)
        for _ in 1...4 { _ = breaker.record(.failed(.timeout), for: ticket, at: start) }

        #expect(breaker.status(at: start) == .closed)
        #expect(breaker.record(.failed(.timeout), for: ticket, at: start) != nil)
    }

    @Test(
        "a neutral outcome neither counts nor starts the row anew",
        arguments: [
            .withoutVerdict, .failed(.callerFault), .failed(.callerLimited, statedDelay: .seconds(60)),
            .failed(.auth),
            .failed(.tooLarge),
        ] as [CircuitBreaker.Outcome]
    )
    mutating func neutral(_ outcome: CircuitBreaker.Outcome) throws {
        let ticket = try #require(breaker.admit(at: start).passed)
        for _ in 1...10 { #expect(breaker.record(outcome, for: ticket, at: start) == nil) }
        for _ in 1...4 { _ = breaker.record(.failed(.timeout), for: ticket, at: start) }
        #expect(breaker.record(outcome, for: ticket, at: start) == nil)

        #expect(breaker.record(.failed(.timeout), for: ticket, at: start) != nil)
    }

    @Test("settings say how many it takes")
    mutating func thresholds() throws {
        breaker = CircuitBreaker(settings: .init(rateLimitsToOpen: 2, failuresToOpen: 1))
        let ticket = try #require(breaker.admit(at: start).passed)

        #expect(breaker.record(Self.limited, for: ticket, at: start) == nil)
        #expect(breaker.record(.failed(.timeout), for: ticket, at: start) != nil)
    }

    @Test(
        "the longer of cooldown and stated delay counts, up to its maximum",
        arguments: [(7, 15), (15, 15), (90, 90), (7200, 3600)]
    )
    mutating func statedDelay(stated: Int, open: Int) throws {
        try trip(.seconds(stated), at: start)

        #expect(breaker.admit(at: start) == .refuse(until: start + .seconds(open)))
    }

    @Test("half-open lets exactly one request through")
    mutating func oneProbe() throws {
        try trip(at: start)
        let later = start + .seconds(15)

        #expect(breaker.status(at: later) == .halfOpen)
        #expect(breaker.admit(at: later).probed != nil)
        for _ in 1...10 { #expect(breaker.admit(at: later) == .refuse(until: later + .seconds(1))) }
        #expect(breaker.status(at: later) == .halfOpen)
    }

    @Test("a successful probe closes it")
    mutating func closes() throws {
        try trip(at: start)
        let probe = try #require(breaker.admit(at: start + .seconds(15)).probed)

        #expect(breaker.record(.success, for: probe, at: start + .seconds(16)) == .closed)
        #expect(breaker.admit(at: start + .seconds(16)).passed != nil)
    }

    @Test("failed probes double the cooldown up to its maximum, so a well target is found within 30 s")
    mutating func doubles() throws {
        breaker = CircuitBreaker(settings: .init(cooldownSeconds: 4, maxCooldownSeconds: 30))
        try trip(at: start)
        var now = start + .seconds(4)

        for seconds in [8, 16, 30, 30] {
            let probe = try #require(breaker.admit(at: now).probed)
            #expect(
                breaker.record(.failed(.timeout), for: probe, at: now)
                    == .reopened(until: now + .seconds(seconds))
            )
            now += .seconds(seconds)
        }
    }

    @Test("after a success the cooldown starts at its first length again")
    mutating func resetsRound() throws {
        try trip(at: start)
        let failed = try #require(breaker.admit(at: start + .seconds(15)).probed)
        _ = breaker.record(Self.limited, for: failed, at: start + .seconds(15))
        let well = try #require(breaker.admit(at: start + .seconds(45)).probed)
        _ = breaker.record(.success, for: well, at: start + .seconds(45))

        try trip(at: start + .seconds(50))

        #expect(breaker.status(at: start + .seconds(50)) == .open(remaining: .seconds(15)))
    }

    @Test(
        "a probe without a verdict gives its permit back at once",
        arguments: [.withoutVerdict, .failed(.callerFault), .failed(.auth), .failed(.callerLimited)]
            as [CircuitBreaker.Outcome]
    )
    mutating func permitReturns(_ outcome: CircuitBreaker.Outcome) throws {
        try trip(at: start)
        let later = start + .seconds(20)
        let left = try #require(breaker.admit(at: later).probed)
        #expect(breaker.record(outcome, for: left, at: later) == nil)

        let probe = try #require(breaker.admit(at: later).probed)

        // The first probe is of an older generation now.
        #expect(breaker.record(.success, for: left, at: later) == nil)
        #expect(breaker.record(Self.limited, for: probe, at: later) == .reopened(until: later + .seconds(30)))
    }

    @Test(
        "a provider that judged the prompt has recovered",
        arguments: [FailureClass.contextExceeded, .refused]
    )
    mutating func judgedProbe(_ failure: FailureClass) throws {
        try trip(at: start)
        let probe = try #require(breaker.admit(at: start + .seconds(15)).probed)

        #expect(breaker.record(.failed(failure), for: probe, at: start + .seconds(15)) == .closed)
    }

    @Test("a success from before the trip does not close it")
    mutating func lateSuccess() throws {
        let early = try #require(breaker.admit(at: start).passed)
        try trip(.seconds(30), at: start)

        #expect(breaker.record(.success, for: early, at: start + .seconds(1)) == nil)
        #expect(breaker.admit(at: start + .seconds(1)) == .refuse(until: start + .seconds(30)))
    }

    @Test("failures from before the trip neither double nor reopen, but extend it by what they state")
    mutating func lateFailure() throws {
        let early = try #require(breaker.admit(at: start).passed)
        try trip(at: start)
        let until = start + .seconds(61)

        #expect(breaker.record(Self.limited, for: early, at: start + .seconds(1)) == nil)
        #expect(breaker.record(.failed(.rateLimited, statedDelay: .seconds(3)), for: early, at: start) == nil)
        #expect(
            breaker.record(
                .failed(.rateLimited, statedDelay: .seconds(60)),
                for: early,
                at: start + .seconds(1)
            )
                == .extended(until: until)
        )
        #expect(
            breaker.record(.failed(.callerLimited, statedDelay: .seconds(90)), for: early, at: start) == nil
        )
        #expect(breaker.admit(at: start + .seconds(60)) == .refuse(until: until))

        let probe = try #require(breaker.admit(at: until).probed)
        #expect(breaker.record(.success, for: probe, at: until) == .closed)
        #expect(
            breaker.record(.failed(.rateLimited, statedDelay: .seconds(60)), for: early, at: until) == nil
        )
        #expect(breaker.status(at: until) == .closed)
    }

    @Test("a delay stated while the probe is out holds unless the probe succeeds")
    mutating func extendedWhileProbing() throws {
        let early = try #require(breaker.admit(at: start).passed)
        try trip(at: start)
        let later = start + .seconds(15)
        let probe = try #require(breaker.admit(at: later).probed)
        let stated = CircuitBreaker.Outcome.failed(.overloaded, statedDelay: .seconds(120))

        #expect(breaker.record(stated, for: early, at: later) == .extended(until: later + .seconds(120)))
        #expect(breaker.record(.withoutVerdict, for: probe, at: later) == nil)
        #expect(breaker.admit(at: later) == .refuse(until: later + .seconds(120)))
    }

    @Test("a delay stated while the probe is out outlasts the cooldown of a probe that fails")
    mutating func extendedThenFailed() throws {
        let early = try #require(breaker.admit(at: start).passed)
        try trip(at: start)
        let later = start + .seconds(15)
        let probe = try #require(breaker.admit(at: later).probed)
        let stated = CircuitBreaker.Outcome.failed(.overloaded, statedDelay: .seconds(120))

        _ = breaker.record(stated, for: early, at: later)

        #expect(
            breaker.record(.failed(.timeout), for: probe, at: later)
                == .reopened(until: later + .seconds(120))
        )
    }

    @Test("looking has no effect")
    mutating func peeks() throws {
        try trip(at: start)
        let before = breaker

        #expect(breaker.peek(at: start) == .refuse(until: start + .seconds(15)))
        #expect(breaker.peek(at: start + .seconds(15)) == .probe)
        #expect(breaker == before)
    }

    @Test("a request with nowhere else to go is let through, and counts for nothing while it is open")
    mutating func unrefusable() throws {
        try trip(at: start)
        let through = try #require(breaker.admit(at: start, mayRefuse: false).passed)

        #expect(breaker.record(.success, for: through, at: start) == nil)
        #expect(breaker.record(Self.limited, for: through, at: start) == nil)
        #expect(breaker.status(at: start) == .open(remaining: .seconds(15)))
        #expect(breaker.admit(at: start + .seconds(15), mayRefuse: false).probed != nil)
    }

    @Test("an operator opens and closes it; tickets of before count no more")
    mutating func operatorsOrders() throws {
        let early = try #require(breaker.admit(at: start).passed)

        #expect(breaker.forceOpen(at: start) == .opened(until: start + .seconds(30)))
        #expect(breaker.record(.success, for: early, at: start) == nil)
        #expect(breaker.status(at: start + .seconds(100_000)) == .open(remaining: nil))
        #expect(breaker.admit(at: start).passed == nil)

        #expect(breaker.forceClose(at: start) == .closed)
        #expect(breaker.record(Self.limited, for: early, at: start) == nil)
        #expect(breaker.status(at: start) == .closed)

        _ = breaker.forceOpen(until: start + .seconds(5), at: start)
        #expect(breaker.admit(at: start + .seconds(5)).probed != nil)
    }

    @Test("an operator's order takes a probe's say away")
    mutating func orderDuringProbe() throws {
        try trip(at: start)
        let probe = try #require(breaker.admit(at: start + .seconds(15)).probed)
        _ = breaker.forceOpen(until: start + .seconds(99), at: start + .seconds(15))

        #expect(breaker.record(.success, for: probe, at: start + .seconds(16)) == nil)
        #expect(breaker.admit(at: start + .seconds(16)) == .refuse(until: start + .seconds(99)))
    }

    @Test("in any run of events there is at most one probe, and every one of them ends", arguments: 0..<300)
    mutating func anyRun(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let outcomes: [CircuitBreaker.Outcome] = [
            .success, .withoutVerdict, .failed(.timeout), .failed(.rateLimited, statedDelay: .seconds(20)),
            .failed(.callerFault), .failed(.refused), .exhausted(for: .seconds(3)),
        ]
        var now = start
        var out: [CircuitBreaker.Ticket] = []
        var probe: CircuitBreaker.Ticket?

        for _ in 0..<200 {
            now += .seconds(Int.random(in: 0...6, using: &random))
            let forecast = breaker.peek(at: now)
            switch Int.random(in: 0...3, using: &random) {
            case 0, 1:
                switch breaker.admit(at: now) {
                case .pass(let ticket):
                    #expect(forecast == .pass)
                    #expect(breaker.status(at: now) == .closed)
                    out.append(ticket)
                case .probe(let ticket):
                    #expect(forecast == .probe)
                    #expect(probe == nil)
                    probe = ticket
                case .refuse(let until):
                    #expect(forecast == .refuse(until: until))
                    #expect(until > now)
                }
            case 2:
                guard let ticket = out.popLast() else { continue }
                _ = breaker.record(
                    outcomes[Int.random(in: 0..<outcomes.count, using: &random)],
                    for: ticket,
                    at: now
                )
            default:
                guard let ticket = probe else { continue }
                _ = breaker.record(
                    outcomes[Int.random(in: 0..<outcomes.count, using: &random)],
                    for: ticket,
                    at: now
                )
                probe = nil
                #expect(breaker.status(at: now) != .halfOpen || breaker.peek(at: now) == .probe)
            }
        }
    }
}

extension CircuitBreaker.Admission {
    fileprivate var passed: CircuitBreaker.Ticket? {
        guard case .pass(let ticket) = self else { return nil }
        return ticket
    }

    fileprivate var probed: CircuitBreaker.Ticket? {
        guard case .probe(let ticket) = self else { return nil }
        return ticket
    }
}
