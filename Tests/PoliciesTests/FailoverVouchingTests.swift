import Policies
import Testing

@Suite("Credentials of the sidecar's own are not spent for strangers")
struct FailoverVouchingTests: FailoverWalking {
    private let start = ContinuousClock.now
    private var breaker = CircuitBreaker()

    private mutating func pass() -> CircuitBreaker.Admission { breaker.admit(at: start) }

    @Test("the next target is asked, whatever the settings route around")
    mutating func goesOn() {
        var walk = Self.walk(["a", "b"], on: [])
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.unvouched) == Self.ask(1))
        _ = walk.admitted(pass(), at: start)
        #expect(walk.answered() == .relay)
        #expect(walk.attemptsHeader == "a=auth, b=ok")
    }

    @Test("with nobody else the answer says so", arguments: [nil, "r"])
    mutating func nobodyElse(route: String?) {
        var walk = Self.walk(["a"], route: route)
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.unvouched) == .answer(.notVouched))
    }

    @Test("a probe that was not sent gives its permit back")
    mutating func permitReturns() throws {
        _ = breaker.forceOpen(until: start, at: start)
        let probe = try #require(pass().ticket)

        _ = breaker.record(.failed(FailoverState.Failure.unvouched.failureClass), for: probe, at: start)

        #expect(breaker.peek(at: start) == .probe)
    }

    /// What stands in the way of target `a`; the client may not use `b`.
    enum Obstacle: CaseIterable {
        case answer, silence, openBreaker, length
    }

    @Test(
        "any other reason is told instead",
        arguments: [
            (.answer, .relayHeld), (.silence, .answer(.badGateway(.upstreamFault))),
            (.openBreaker, .answer(.allOpen(retryAfter: .seconds(9)))),
            (.length, .answer(.promptTooLong(tokens: 9, budget: 8))),
        ] as [(Obstacle, FailoverState.Action)]
    )
    mutating func otherReason(_ obstacle: Obstacle, _ told: FailoverState.Action) {
        var walk = Self.walk(["a", "b"], windows: [8])

        switch obstacle {
        case .answer:
            _ = walk.admitted(pass(), at: start)
            _ = walk.failed(.answered(.rateLimited, status: 429))
        case .silence:
            _ = walk.admitted(pass(), at: start)
            _ = walk.failed(.unanswered(.upstreamFault))
        case .openBreaker:
            _ = walk.admitted(.refuse(until: start + .seconds(9)), at: start)
        case .length:
            _ = walk.admitted(pass(), at: start)
            _ = walk.promptDidNotFit(tokens: 9, budget: 8)
        }
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.unvouched) == told)
    }
}
