import Policies
import Testing

@Suite("A target whose breaker others opened gets no second try")
struct FailoverAdmissionTests: FailoverWalking {
    private let start = ContinuousClock.now
    private var breaker = CircuitBreaker()

    private mutating func pass() -> CircuitBreaker.Admission { breaker.admit(at: start) }

    @Test(
        "what would have been sent again goes to the next",
        arguments: [
            .unconnected, .answered(.upstreamFault, status: 500),
            .answered(.contextExceeded, status: 400, sentTokens: 9_000),
        ] as [FailoverState.Failure]
    )
    mutating func goesOn(_ failure: FailoverState.Failure) {
        var walk = Self.walk(["a", "b"], windows: [8_000, 8_000])
        _ = walk.admitted(pass(), at: start)

        let action = walk.failed(failure, isStillAdmitted: false)

        #expect(action == Self.ask(1, hold: failure != .unconnected))
    }

    @Test("a request with nowhere else to go is sent again all the same")
    mutating func nowhereElse() {
        var walk = Self.walk(["a"])
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.unconnected, isStillAdmitted: false) == Self.send(0, fresh: true))
    }
}
