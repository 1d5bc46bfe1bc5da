import Policies
import Testing

@Suite("A good answer that says that nothing is left opens its breaker")
struct BreakerExhaustionTests {
    private var breaker = CircuitBreaker()
    private let start = ContinuousClock.now

    @Test(
        "for as long as it says, without a cooldown, up to the maximum",
        arguments: [(1, 1), (40, 40), (7200, 3600)]
    )
    mutating func opens(stated: Int, open: Int) throws {
        let ticket = try #require(breaker.admit(at: start).ticket)

        #expect(
            breaker.record(.exhausted(for: .seconds(stated)), for: ticket, at: start)
                == .opened(until: start + .seconds(open))
        )
        #expect(breaker.peek(at: start + .seconds(open)) == .probe)
    }

    @Test("what is over already is a plain success", arguments: [Duration.zero, .seconds(-3)])
    mutating func over(stated: Duration) throws {
        let ticket = try #require(breaker.admit(at: start).ticket)
        for _ in 1...4 { _ = breaker.record(.failed(.timeout), for: ticket, at: start) }

        #expect(breaker.record(.exhausted(for: stated), for: ticket, at: start) == nil)
        #expect(breaker.record(.failed(.timeout), for: ticket, at: start) == nil)
    }

    @Test("a probe that exhausts the target has found it well: cooldowns double from the first again")
    mutating func probe() throws {
        breaker = CircuitBreaker(settings: .init(cooldownSeconds: 4, maxCooldownSeconds: 30))
        var now = start
        var transitions: [CircuitBreaker.Transition?] = []

        for (wait, outcome) in [
            (0, .failed(.rateLimited)), (4, .failed(.rateLimited)), (8, .failed(.rateLimited)),
            (16, .exhausted(for: .seconds(3))), (3, .failed(.rateLimited)),
        ] as [(Int, CircuitBreaker.Outcome)] {
            now += .seconds(wait)
            let ticket = try #require(breaker.admit(at: now).ticket)
            transitions.append(breaker.record(outcome, for: ticket, at: now))
        }

        #expect(
            transitions == [
                .opened(until: start + .seconds(4)), .reopened(until: start + .seconds(12)),
                .reopened(until: start + .seconds(28)), .opened(until: start + .seconds(31)),
                .reopened(until: start + .seconds(39)),
            ]
        )
    }

    @Test("a ticket that was not asked for is of no period, whatever the breaker has been through")
    mutating func lateTicket() throws {
        #expect(!breaker.isCurrent(.late))
        let ticket = try #require(breaker.admit(at: start).ticket)
        #expect(breaker.isCurrent(ticket))

        _ = breaker.record(.failed(.rateLimited), for: ticket, at: start)
        #expect(!breaker.isCurrent(ticket))

        let extended = breaker.record(.exhausted(for: .seconds(50)), for: .late, at: start)
        #expect(extended == .extended(until: start + .seconds(50)))
    }
}
