/// What is known about a request's moment, beyond the request itself.
public struct Situation: Sendable {
    public var now: ContinuousClock.Instant
    /// Where the conversation was moved to; nil when it is with its primary.
    public var sticky: StickyRoute?
    /// What the breaker of the chain's first member would say.
    public var primary: CircuitBreaker.Forecast

    public init(
        now: ContinuousClock.Instant,
        sticky: StickyRoute? = nil,
        primary: CircuitBreaker.Forecast = .pass
    ) {
        self.now = now
        self.sticky = sticky
        self.primary = primary
    }
}

/// What an answer changes about where a conversation goes next.
public enum Stickiness: Equatable, Sendable {
    /// Nothing: the request is not one that is kept to a target.
    case none
    /// The conversation stays on this fallback, for `fallback.sticky` from the move.
    case moved(Target)
    /// The primary has it again.
    case returned
}

extension Plan {
    /// The plan in the order that the moment asks for.
    ///
    /// A conversation that was moved to a fallback stays there, so that its history is not read anew by another
    /// model with every request:
    /// - Between a tool call and its result always, even after `until`, whatever the primary's breaker says: the
    ///   call carries the signature of the model that made it, which another does not know.
    /// - At the start of a turn until its time is over. But while the primary's breaker is half-open with its
    ///   probe free the request goes to the primary first, and may be the probe; should somebody else be
    ///   faster, the breaker refuses and the request goes down the chain: nothing is lost.
    ///
    /// A moved request still has the whole chain: first the fallback that it is on, then the members behind it,
    /// then those before it.
    ///
    /// No effect without a route or a conversation, on tasks, and where the fallback is no longer a member of
    /// the chain or is its first.
    public func steered(by situation: Situation, for facts: RequestFacts) -> Plan {
        guard canStick(facts), let sticky = situation.sticky,
            let place = attempts.firstIndex(where: { $0.target == sticky.target }), place > 0
        else { return self }
        let mayReturn = situation.now >= sticky.until || situation.primary == .probe
        return facts.startsTurn && mayReturn ? self : rotated(toBeginAt: place)
    }

    /// What to remember of a conversation after an answer that is no failure.
    ///
    /// The caller adds the time to a move: `fallback.sticky` from the answer.
    public func stickiness(afterAnswerFrom target: Target, _ facts: RequestFacts) -> Stickiness {
        guard canStick(facts) else { return .none }
        return target == attempts[primaryPlace].target ? .returned : .moved(target)
    }

    private func canStick(_ facts: RequestFacts) -> Bool {
        route != nil && attempts.count > 1 && facts.conversation != nil && !facts.isTask
    }
}
