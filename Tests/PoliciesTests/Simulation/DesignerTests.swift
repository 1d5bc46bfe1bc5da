import Policies
import Testing

@Suite("A designer whose conversation was moved comes back to the primary")
struct DesignerTests {
    /// One request: when it comes, what it carries, and where it may be seen to have gone.
    struct Step: Sendable {
        var second: Int
        var startsTurn: Bool
        var attempts: String

        static func turn(_ second: Int, _ attempts: String) -> Step {
            Step(second: second, startsTurn: true, attempts: attempts)
        }

        static func toolResult(_ second: Int, _ attempts: String) -> Step {
            Step(second: second, startsTurn: false, attempts: attempts)
        }
    }

    @Test("alone, a turn of theirs is the probe; a tool result never is")
    func alone() {
        Self.expect(
            [
                .turn(0, "claude=rate_limited, gemini=ok"),
                .toolResult(5, "gemini=ok"),
                .toolResult(16, "gemini=ok"),
                .turn(20, "claude=rate_limited, gemini=ok"),
                .turn(30, "gemini=ok"),
                .toolResult(60, "gemini=ok"),
                .turn(310, "claude=ok"),
                .toolResult(311, "claude=ok"),
                .turn(312, "claude=ok"),
            ],
            wellFrom: 300
        )
    }

    @Test(
        "when others found the primary well, they stay for ten minutes from the move, and until a turn ends"
    )
    func others() {
        Self.expect(
            [
                .turn(0, "claude=rate_limited, gemini=ok"),
                .turn(10, "gemini=ok"),
                .turn(320, "gemini=ok"),
                .turn(599, "gemini=ok"),
                .toolResult(601, "gemini=ok"),
                .toolResult(700, "gemini=ok"),
                .turn(701, "claude=ok"),
            ],
            wellFrom: 300,
            othersProbeAt: 310
        )
    }

    private static func expect(_ steps: [Step], wellFrom: Int, othersProbeAt: Int? = nil) {
        var designer = Designer(wellFrom: wellFrom)
        for step in steps {
            if let probe = othersProbeAt, step.second > probe { designer.othersProbe(at: probe) }

            let attempts = designer.asks(at: step.second, startsTurn: step.startsTurn)

            #expect(attempts == step.attempts, "second \(step.second)")
        }
    }
}

/// One conversation on the chain of `claude`, which is limited at first, and `gemini`, which is well.
struct Designer {
    private static let claude = Target(model: "claude", upstream: "litellm")
    private static let conversation = StableDigest(high: 1, low: 2)
    private static let settings = PolicySettings(
        routes: [Route(name: "r", when: Condition(), chain: [.requested, .model("gemini", upstream: nil)])]
    )

    private let start = ContinuousClock.now
    /// Seconds from the start.
    private let wellFrom: Int
    private var breakers: [Target: CircuitBreaker] = [:]
    private var routes = StickyRoutes()

    init(wellFrom: Int) {
        self.wellFrom = wellFrom
    }

    /// Sends one request; answers take no time.
    ///
    /// - Returns: what was tried.
    mutating func asks(at second: Int, startsTurn: Bool) -> String {
        let now = start + .seconds(second)
        let facts = RequestFacts(model: "claude", startsTurn: startsTurn, conversation: Self.conversation)
        let plan = plan(
            facts,
            settings: Self.settings,
            upstream: "litellm",
            in: Situation(
                now: now,
                sticky: routes.route(of: Self.conversation),
                primary: breakers[Self.claude]?.peek(at: now) ?? .pass
            )
        )
        var failover = FailoverState(plan, fallback: Self.settings.fallback)
        var action = failover.start()
        while case .ask(let place, _, _) = action {
            let target = plan.attempts[place].target
            action = attempt(target, isWell: target != Self.claude || second >= wellFrom, &failover, at: now)
            if action == .relay, failover.outcomes.last?.result == "ok" {
                remember(plan.stickiness(afterAnswerFrom: target, facts), at: now)
            }
        }
        return failover.attemptsHeader
    }

    private mutating func attempt(
        _ target: Target,
        isWell: Bool,
        _ failover: inout FailoverState,
        at now: ContinuousClock.Instant
    ) -> FailoverState.Action {
        let admission = breakers[target, default: CircuitBreaker()].admit(at: now)
        let action = failover.admitted(admission, at: now)
        guard let ticket = admission.ticket else { return action }
        _ = breakers[target]?.record(isWell ? .success : .failed(.rateLimited), for: ticket, at: now)
        return isWell ? failover.answered() : failover.failed(.answered(.rateLimited, status: 429))
    }

    private mutating func remember(_ stickiness: Stickiness, at now: ContinuousClock.Instant) {
        switch stickiness {
        case .none: break
        case .moved(let target):
            routes.moved(Self.conversation, to: target, until: now + Self.settings.fallback.sticky)
        case .returned: routes.returned(Self.conversation)
        }
    }

    /// Somebody else's request finds the primary well.
    mutating func othersProbe(at second: Int) {
        let now = start + .seconds(second)
        guard let ticket = breakers[Self.claude]?.admit(at: now).ticket else { return }
        _ = breakers[Self.claude]?.record(.success, for: ticket, at: now)
    }
}
