import Policies
import Testing

@Suite("An answer that broke off is gone on with by the next target")
struct FailoverResumeTests: FailoverWalking {
    private let start = ContinuousClock.now
    private var breaker = CircuitBreaker()

    private mutating func pass() -> CircuitBreaker.Admission { breaker.admit(at: start) }

    private mutating func begun(_ models: [String]) -> FailoverState {
        var walk = Self.walk(models)
        _ = walk.start()
        _ = walk.admitted(pass(), at: start)
        _ = walk.answered()
        return walk
    }

    @Test(
        "whatever it broke off by",
        arguments: FailureClass.allCases.filter { ![.refused, .callerLimited].contains($0) }
    )
    mutating func asksTheNext(_ failure: FailureClass) {
        var walk = begun(["a", "b"])

        #expect(walk.brokeOff(failure) == Self.ask(1))
        #expect(walk.admitted(pass(), at: start) == Self.send(1))
        #expect(walk.answered() == .relay)
        #expect(walk.attemptsHeader == "a=\(failure.rawValue), b=ok")
    }

    @Test("but a refusal is nobody else's to answer", arguments: [FailureClass.refused, .callerLimited])
    mutating func endsAtRefusals(_ failure: FailureClass) {
        var walk = begun(["a", "b"])
        #expect(walk.brokeOff(failure) == .breakOff)
    }

    @Test("nobody left, it breaks off")
    mutating func breaksOff() {
        var walk = begun(["a", "b"])
        _ = walk.brokeOff(.upstreamFault)
        _ = walk.admitted(pass(), at: start)
        _ = walk.answered()

        #expect(walk.brokeOff(.timeout) == .breakOff)
        #expect(walk.attemptsHeader == "a=upstream_fault, b=timeout")
    }

    @Test(
        "no error of the others is relayed behind half an answer",
        arguments: [
            FailoverState.Failure.answered(.rateLimited, status: 429), .answered(.refused, status: 400),
            .answered(.callerFault, status: 400), .unanswered(.timeout), .unvouched,
        ]
    )
    mutating func relaysNoError(_ failure: FailoverState.Failure) {
        var walk = begun(["a", "b"])
        _ = walk.brokeOff(.upstreamFault)
        _ = walk.admitted(pass(), at: start)

        #expect(walk.failed(failure) == .breakOff)
    }

    @Test("targets that are open are passed over, and when all are it breaks off")
    mutating func passesOverOpen() {
        var walk = begun(["a", "b", "c"])
        _ = walk.brokeOff(.upstreamFault)

        #expect(walk.admitted(.refuse(until: start + .seconds(5)), at: start) == Self.ask(2))
        #expect(walk.admitted(.refuse(until: start + .seconds(5)), at: start) == .breakOff)
    }

    @Test("out of time it breaks off")
    mutating func runsOutOfTime() {
        var walk = begun(["a", "b"])
        _ = walk.brokeOff(.upstreamFault)
        _ = walk.admitted(pass(), at: start)

        #expect(walk.ranOutOfTime() == .breakOff)
    }
}
