import Policies
import Testing

@Suite("A target that is limited for a short time is waited for once")
struct FailoverPatienceTests: FailoverWalking {
    private let start = ContinuousClock.now
    private var breaker = CircuitBreaker()

    private static let limited = FailoverState.Failure.answered(.rateLimited, status: 429)

    private mutating func pass() -> CircuitBreaker.Admission { breaker.admit(at: start) }

    @Test(
        "the delay is waited for, and the same is sent again without asking the breaker",
        arguments: [FailureClass.rateLimited, .quotaExhausted, .overloaded]
    )
    mutating func waits(_ failure: FailureClass) {
        var walk = Self.walk(["a", "b"], windows: [8_000], patience: .seconds(2))
        _ = walk.admitted(pass(), at: start)

        #expect(
            walk.failed(.answered(failure, status: 429), statedDelay: .seconds(2))
                == .wait(.seconds(2), attempt: 0, hold: true)
        )
        #expect(walk.waited() == Self.send(0, budget: 8_000))
        #expect(walk.answered() == .relay)
        #expect(walk.attemptsHeader == "a=\(failure.rawValue), a=ok")
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var failure = FailureClass.rateLimited
        var stated: Duration?
        var patience = Duration.seconds(2)

        var testDescription: String { when }
    }

    static let impatient = [
        Row(when: "no delay was stated"),
        Row(when: "it is longer than the patience", stated: .milliseconds(2001)),
        Row(when: "there is no patience", stated: .zero, patience: .zero),
        Row(when: "the target failed otherwise", failure: .regionBlocked, stated: .seconds(1)),
    ]

    @Test("the next target is asked at once", arguments: impatient)
    mutating func movesOn(_ row: Row) {
        var walk = Self.walk(["a", "b"], patience: row.patience)
        _ = walk.admitted(pass(), at: start)

        #expect(
            walk.failed(.answered(row.failure, status: 429), statedDelay: row.stated)
                == Self.ask(1, hold: true)
        )
    }

    @Test("each target is waited for once, the last one too")
    mutating func onceEach() {
        var walk = Self.walk(["a", "b"], patience: .seconds(5))
        _ = walk.admitted(pass(), at: start)

        _ = walk.failed(Self.limited, statedDelay: .seconds(1))
        _ = walk.waited()
        #expect(walk.failed(Self.limited, statedDelay: .seconds(1)) == Self.ask(1, hold: true))
        _ = walk.admitted(pass(), at: start)
        #expect(
            walk.failed(Self.limited, statedDelay: .seconds(3)) == .wait(.seconds(3), attempt: 1, hold: false)
        )
        #expect(walk.waited() == Self.send(1))
        #expect(walk.failed(Self.limited, statedDelay: .seconds(3)) == .relayHeld)
    }

    @Test("a chain of one is waited for, an unmatched request is not", arguments: ["r", nil])
    mutating func alone(route: String?) {
        var walk = Self.walk(["a"], route: route, patience: .seconds(5))
        _ = walk.admitted(pass(), at: start)

        let action = walk.failed(Self.limited, statedDelay: .seconds(1))

        #expect(action == (route == nil ? .relay : .wait(.seconds(1), attempt: 0, hold: true)))
    }

    @Test("a probe is not waited for")
    mutating func probe() {
        _ = breaker.forceOpen(until: start, at: start)
        var walk = Self.walk(["a", "b"], patience: .seconds(5))
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(Self.limited, statedDelay: .seconds(1)) == Self.ask(1, hold: true))
    }

    @Test("a wait that was in vain leaves the answer that was held")
    mutating func inVain() {
        var walk = Self.walk(["a"], patience: .seconds(5))
        _ = walk.admitted(pass(), at: start)
        _ = walk.failed(Self.limited, statedDelay: .seconds(1))
        _ = walk.waited()

        #expect(walk.failed(.unanswered(.timeout)) == .relayHeld)
    }

    @Test("after a wait a connection that was closed meanwhile is replaced, but a 5xx is not tried again")
    mutating func secondTry() {
        var walk = Self.walk(["a", "b"], patience: .seconds(5))
        _ = walk.admitted(pass(), at: start)
        _ = walk.failed(Self.limited, statedDelay: .seconds(1))
        _ = walk.waited()

        #expect(walk.failed(.unconnected, isStillAdmitted: false) == Self.send(0, fresh: true))
        #expect(walk.failed(.answered(.upstreamFault, status: 500)) == Self.ask(1, hold: true))
    }

    @Test("what was clipped stays clipped after a wait")
    mutating func staysClipped() {
        var walk = Self.walk(["a"], windows: [8_000], patience: .seconds(5))
        _ = walk.admitted(pass(), at: start)
        let tooLong = FailoverState.Failure.answered(.contextExceeded, status: 400, sentTokens: 6_000)

        #expect(walk.failed(tooLong) == Self.send(0, budget: 4_500, hold: true))
        _ = walk.failed(Self.limited, statedDelay: .seconds(1))
        #expect(walk.waited() == Self.send(0, budget: 4_500))
        #expect(walk.failed(.unconnected) == Self.send(0, budget: 4_500, fresh: true))
    }
}
