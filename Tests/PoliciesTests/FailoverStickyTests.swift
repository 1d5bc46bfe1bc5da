import Policies
import Testing

@Suite("A moved conversation has its whole chain left")
struct FailoverStickyTests: FailoverWalking {
    private let start = ContinuousClock.now
    private var breaker = CircuitBreaker()

    private mutating func pass() -> CircuitBreaker.Admission { breaker.admit(at: start) }

    @Test("when all failed, the client gets the answer of the chain's first member, not of the fallback")
    mutating func primarysOwn() {
        var walk = Self.walk(["a", "b", "c"], beginning: 1)

        _ = walk.admitted(pass(), at: start)
        #expect(walk.failed(.answered(.overloaded, status: 529)) == Self.ask(1, hold: true))
        _ = walk.admitted(pass(), at: start)
        #expect(walk.failed(.answered(.rateLimited, status: 429)) == Self.ask(2))
        _ = walk.admitted(pass(), at: start)
        #expect(walk.failed(.answered(.quotaExhausted, status: 429)) == .relay)
        #expect(walk.attemptsHeader == "b=overloaded, c=rate_limited, a=quota_exhausted")
    }

    @Test("a primary in the middle is held in place of the fallback")
    mutating func primaryInTheMiddle() {
        var walk = Self.walk(["a", "b", "c"], beginning: 2)

        _ = walk.admitted(pass(), at: start)
        #expect(walk.failed(.answered(.overloaded, status: 529)) == Self.ask(1, hold: true))
        _ = walk.admitted(pass(), at: start)
        #expect(walk.failed(.answered(.rateLimited, status: 429)) == Self.ask(2, hold: true))
        _ = walk.admitted(pass(), at: start)
        #expect(walk.failed(.answered(.overloaded, status: 529)) == .relayHeld)
    }

    @Test(
        "what the fallback holds against the request is not told: the primary is asked",
        arguments: [FailureClass.callerFault, .auth, .tooLarge, .contextExceeded]
    )
    mutating func fallbacksFault(_ failure: FailureClass) {
        var walk = Self.walk(["a", "b", "c", "d"], beginning: 1)

        _ = walk.admitted(pass(), at: start)
        #expect(walk.failed(.answered(failure, status: 400)) == Self.ask(3, hold: true))
        _ = walk.admitted(pass(), at: start)
        #expect(walk.failed(.answered(failure, status: 400)) == .relay)
        #expect(walk.attemptsHeader == "b=\(failure.rawValue), a=\(failure.rawValue)")
    }

    @Test("a refusal is the client's, whoever gave it", arguments: [FailureClass.refused, .callerLimited])
    mutating func refusal(_ failure: FailureClass) {
        var walk = Self.walk(["a", "b"], beginning: 1)
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(.answered(failure, status: 400)) == .relay)
    }
}
