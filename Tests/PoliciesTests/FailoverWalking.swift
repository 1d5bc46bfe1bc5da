import Policies

/// Short ways to write down a walk along a chain and its actions.
protocol FailoverWalking {}

extension FailoverWalking {
    /// A chain of models at one upstream, with the windows that are known.
    ///
    /// - Parameter beginning: the place at which a moved conversation begins, going round.
    static func walk(
        _ models: [String],
        route: String? = "r",
        windows: [Int?] = [],
        on classes: Set<FailureClass> = FallbackSettings.usual,
        patience: Duration = .zero,
        beginning: Int = 0
    ) -> FailoverState {
        let attempts = models.enumerated().map { place, model in
            let window = (place < windows.count ? windows[place] : nil)
                .map { Budget(tokens: $0, counting: Counting(encoding: "o200k_base")) }
            return Attempt(
                target: Target(model: model, upstream: "litellm"),
                isForeign: place > 0,
                budget: window,
                window: window
            )
        }
        let now = ContinuousClock.now
        let sticky = StickyRoute(target: attempts[beginning].target, until: now + .seconds(1))
        return FailoverState(
            Plan(route: route, attempts[0], then: Array(attempts.dropFirst()))
                .steered(
                    by: Situation(now: now, sticky: sticky),
                    for: RequestFacts(model: models[0], conversation: StableDigest(high: 0, low: 1))
                ),
            fallback: FallbackSettings(on: classes, patience: patience)
        )
    }

    static func send(_ attempt: Int, budget: Int? = nil, fresh: Bool = false, hold: Bool = false)
        -> FailoverState.Action
    {
        .send(
            attempt: attempt,
            budget: budget.map { Budget(tokens: $0, counting: Counting(encoding: "o200k_base")) },
            onFreshConnection: fresh,
            hold: hold
        )
    }

    static func ask(_ attempt: Int, hold: Bool = false) -> FailoverState.Action {
        .ask(attempt: attempt, mayRefuse: true, hold: hold)
    }
}
