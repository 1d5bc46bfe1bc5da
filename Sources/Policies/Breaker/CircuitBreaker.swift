/// Decides whether a target may be called, from what its last calls returned.
///
/// A value with no timers in it: the caller passes the present instant with every event. One breaker guards
/// one target.
///
///     closed --(limited, exhausted, or N failures in a row)--> open --(its time is over)--> half-open
///     half-open --(the target answered)--> closed, or open again if that exhausted it
///     half-open --(limited or failed)--> open, for twice as long up to the maximum
///     half-open --(no verdict)--> half-open, and the next request is the probe
///
/// Every admission carries the breaker's generation, which changes with the state. An answer to an older one
/// never closes, doubles or reopens: it tells of a time that is over. It may only extend the open time, by a
/// delay that it states.
public struct CircuitBreaker: Equatable, Sendable {
    /// What a request may do.
    public enum Admission: Equatable, Sendable {
        case pass(Ticket)
        /// Exactly one request is let through to learn whether the target has recovered.
        case probe(Ticket)
        case refuse(until: ContinuousClock.Instant)
    }

    /// Ties an outcome to the period in which its request was admitted.
    ///
    /// A probe's ticket must come back in ``CircuitBreaker/record(_:for:at:)``, whatever became of the
    /// request: until then nobody else is let through, and no timer runs.
    public struct Ticket: Equatable, Sendable {
        fileprivate var generation: Int

        /// For a request that is sent without asking: its outcome counts for nothing, but a delay that it
        /// states.
        public static let late = Ticket(generation: -1)
    }

    /// What became of an admitted request.
    public enum Outcome: Equatable, Sendable {
        case success
        /// A success whose headers say that nothing more is granted for this long, as
        /// `anthropic-ratelimit-*-remaining: 0` with its `-reset` does.
        case exhausted(for: Duration)
        case failed(FailureClass, statedDelay: Duration? = nil)
        /// The request ended without telling anything: the client left, or nothing was sent.
        case withoutVerdict
    }

    /// A change worth a log line.
    public enum Transition: Equatable, Sendable {
        case opened(until: ContinuousClock.Instant)
        /// A probe failed.
        case reopened(until: ContinuousClock.Instant)
        /// A late answer stated a longer delay.
        case extended(until: ContinuousClock.Instant)
        case closed
    }

    fileprivate enum State: Equatable, Sendable {
        case closed(limited: Int, failed: Int)
        /// Nil until: an operator opened it for good. Round counts the probes that failed since it was
        /// closed.
        case open(until: ContinuousClock.Instant?, round: Int)
        /// The probe is out. A delay stated meanwhile holds unless the probe succeeds.
        case probing(round: Int, notBefore: ContinuousClock.Instant)
    }

    /// How long a request waits that finds the probe still out: ask again soon rather than pile up behind it.
    private static let probePatience = Duration.seconds(1)

    /// May be replaced at any time, as by a reload; an open time that was set stays as it is.
    public var settings: Settings
    private var generation = 0
    private var state = State.closed(limited: 0, failed: 0) {
        didSet { if !oldValue.isSamePeriod(as: state) { generation += 1 } }
    }

    public init(settings: Settings = Settings()) {
        self.settings = settings
    }

    /// Asks to send one request.
    ///
    /// - Parameter mayRefuse: false for a request that has nowhere else to go. It is let through even while
    ///   the breaker is open; its outcome then counts for nothing, but a delay that it states.
    public mutating func admit(at now: ContinuousClock.Instant, mayRefuse: Bool = true) -> Admission {
        switch peek(at: now) {
        case .pass:
            return .pass(Ticket(generation: generation))
        case .probe:
            guard case .open(_, let round) = state else { preconditionFailure("a probe from \(state)") }
            state = .probing(round: round, notBefore: now)
            return .probe(Ticket(generation: generation))
        case .refuse(let until):
            return mayRefuse ? .refuse(until: until) : .pass(.late)
        }
    }

    /// Tells what became of an admitted request; once for each ticket.
    public mutating func record(
        _ outcome: Outcome,
        for ticket: Ticket,
        at now: ContinuousClock.Instant
    ) -> Transition? {
        guard isCurrent(ticket) else { return recordLate(outcome, at: now) }
        switch state {
        case .closed(let limited, let failed):
            return recordClosed(outcome, limited: limited, failed: failed, at: now)
        case .probing(let round, let notBefore):
            return recordProbe(outcome, round: round, notBefore: notBefore, at: now)
        case .open:
            // No ticket is given out in this state.
            return nil
        }
    }

    /// Whether the breaker is still as it was when it gave the ticket out.
    ///
    /// A request sends again on its ticket only while it is: afterwards the target is open, or somebody else's
    /// to probe.
    public func isCurrent(_ ticket: Ticket) -> Bool {
        ticket.generation == generation
    }

    private mutating func recordClosed(
        _ outcome: Outcome,
        limited: Int,
        failed: Int,
        at now: ContinuousClock.Instant
    ) -> Transition? {
        switch outcome.verdict {
        case .none:
            return nil
        case .well:
            state = .closed(limited: 0, failed: 0)
            return nil
        case .spent(let delay):
            return spend(delay, at: now)
        case .limited:
            state = .closed(limited: limited + 1, failed: failed)
            guard limited + 1 >= settings.rateLimitsToOpen else { return nil }
        case .failing:
            state = .closed(limited: limited, failed: failed + 1)
            guard failed + 1 >= settings.failuresToOpen else { return nil }
        }
        return .opened(until: open(round: 0, outcome, notBefore: now, at: now))
    }

    private mutating func recordProbe(
        _ outcome: Outcome,
        round: Int,
        notBefore: ContinuousClock.Instant,
        at now: ContinuousClock.Instant
    ) -> Transition? {
        switch outcome.verdict {
        case .none:
            state = .open(until: notBefore, round: round)
            return nil
        case .well:
            state = .closed(limited: 0, failed: 0)
            return .closed
        case .spent(let delay):
            return spend(delay, at: now)
        case .limited, .failing:
            return .reopened(until: open(round: round + 1, outcome, notBefore: notBefore, at: now))
        }
    }

    /// The target is well, and asks for no more than its stated time: no cooldown is added.
    private mutating func spend(_ stated: Duration, at now: ContinuousClock.Instant) -> Transition {
        let until = now + settings.bounded(stated)
        state = .open(until: until, round: 0)
        return .opened(until: until)
    }

    private mutating func open(
        round: Int,
        _ outcome: Outcome,
        notBefore: ContinuousClock.Instant,
        at now: ContinuousClock.Instant
    ) -> ContinuousClock.Instant {
        let stated = outcome.statedDelay.map(settings.bounded) ?? .zero
        let until = max(now + max(settings.cooldown(round: round), stated), notBefore)
        state = .open(until: until, round: round)
        return until
    }

    private mutating func recordLate(_ outcome: Outcome, at now: ContinuousClock.Instant) -> Transition? {
        guard let stated = outcome.believedDelay else { return nil }
        let until = now + settings.bounded(stated)
        switch state {
        case .open(let present?, let round) where until > present:
            state = .open(until: until, round: round)
            return .extended(until: until)
        case .probing(let round, let present) where until > present:
            state = .probing(round: round, notBefore: until)
            return .extended(until: until)
        case .closed, .open, .probing:
            return nil
        }
    }
}

/// What can be seen and done from outside a request.
extension CircuitBreaker {
    /// What ``admit(at:mayRefuse:)`` would say.
    public enum Forecast: Equatable, Sendable {
        case pass
        case probe
        case refuse(until: ContinuousClock.Instant)
    }

    /// What people are shown.
    public enum Status: Equatable, Sendable {
        case closed
        case halfOpen
        /// Nil: until an operator closes it.
        case open(remaining: Duration?)
    }

    /// What ``admit(at:mayRefuse:)`` would say, without any effect.
    public func peek(at now: ContinuousClock.Instant) -> Forecast {
        switch state {
        case .closed:
            .pass
        case .open(nil, _):
            .refuse(until: now + settings.cooldown(round: .max))
        case .open(let until?, _):
            until <= now ? .probe : .refuse(until: until)
        case .probing(_, let notBefore):
            .refuse(until: max(now + Self.probePatience, notBefore))
        }
    }

    /// The state for the status page and the gauge; half-open from the moment that a probe may be sent.
    public func status(at now: ContinuousClock.Instant) -> Status {
        switch state {
        case .closed:
            .closed
        case .open(nil, _):
            .open(remaining: nil)
        case .open(let until?, _):
            until <= now ? .halfOpen : .open(remaining: until - now)
        case .probing:
            .halfOpen
        }
    }

    /// Opens it by an operator's order.
    ///
    /// - Parameter until: when a probe may be sent; nil leaves it open until ``forceClose(at:)``.
    public mutating func forceOpen(until: ContinuousClock.Instant? = nil, at now: ContinuousClock.Instant)
        -> Transition
    {
        // Through closed, so that the generation changes even if it was open and a ticket of now is worth
        // nothing.
        state = .closed(limited: 0, failed: 0)
        state = .open(until: until, round: 0)
        return .opened(until: until ?? now + settings.cooldown(round: .max))
    }

    /// Closes it by an operator's order; answers to earlier requests count no more.
    public mutating func forceClose(at now: ContinuousClock.Instant) -> Transition {
        state = .open(until: now, round: 0)
        state = .closed(limited: 0, failed: 0)
        return .closed
    }
}

extension CircuitBreaker.State {
    /// Whether a ticket of the one is still good in the other.
    fileprivate func isSamePeriod(as other: Self) -> Bool {
        switch (self, other) {
        case (.closed, .closed), (.open, .open), (.probing, .probing): true
        default: false
        }
    }
}
