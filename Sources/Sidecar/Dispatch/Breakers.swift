internal import Policies
internal import Synchronization

/// The circuit breakers of all targets, shared by the event loops.
final class Breakers: Sendable {
    /// The most breakers that are kept.
    ///
    /// `$requested` under a glob makes targets of names that clients invent. At this many, those that
    /// would let a request through are forgotten, which costs them no more than a count of failures; should all be
    /// open, new ones go unguarded.
    private static let maxTargets = 4096

    private let table = Mutex<[Target: CircuitBreaker]>([:])

    /// Asks for one request.
    ///
    /// - Parameter mayRefuse: false where nothing else could be tried.
    func admit(
        _ target: Target,
        _ settings: CircuitBreaker.Settings,
        mayRefuse: Bool
    ) -> CircuitBreaker.Admission {
        let now = ContinuousClock.now
        return table.withLock { table in
            // Looked up once, which costs more than what the breaker does.
            if let place = table.index(forKey: target) {
                return table.values[place].admit(at: now, mayRefuse: mayRefuse)
            }
            if table.count >= Self.maxTargets {
                table = table.filter { if case .refuse = $0.value.peek(at: now) { true } else { false } }
            }
            var breaker = CircuitBreaker(settings: settings)
            let admission = breaker.admit(at: now)
            if table.count < Self.maxTargets { table[target] = breaker }
            return admission
        }
    }

    /// Tells how an admitted request went.
    ///
    /// - Returns: a change worth a log line.
    func record(
        _ outcome: CircuitBreaker.Outcome,
        for ticket: CircuitBreaker.Ticket,
        _ target: Target
    ) -> CircuitBreaker.Transition? {
        let now = ContinuousClock.now
        return table.withLock { table in
            table.index(forKey: target).flatMap { table.values[$0].record(outcome, for: ticket, at: now) }
        }
    }

    /// What ``admit(_:_:mayRefuse:)`` would say, without any effect.
    func forecast(of target: Target) -> CircuitBreaker.Forecast {
        let now = ContinuousClock.now
        return table.withLock { $0[target]?.peek(at: now) } ?? .pass
    }

    /// Whether a ticket is of the present period of its target's breaker.
    func isCurrent(_ ticket: CircuitBreaker.Ticket, of target: Target) -> Bool {
        table.withLock { $0[target]?.isCurrent(ticket) } ?? true
    }

    /// Puts new settings in force; an open time that was set stays as it is.
    func apply(_ settings: CircuitBreaker.Settings) {
        table.withLock { table in
            for target in Array(table.keys) { table[target]?.settings = settings }
        }
    }

    /// Opens or closes a breaker by an operator's order.
    func force(_ target: Target, open: Bool, _ settings: CircuitBreaker.Settings) -> CircuitBreaker.Transition
    {
        let now = ContinuousClock.now
        return table.withLock { table in
            var breaker = table[target] ?? CircuitBreaker(settings: settings)
            let change = open ? breaker.forceOpen(at: now) : breaker.forceClose(at: now)
            table[target] = breaker
            return change
        }
    }

    /// Every breaker as it stands, in the order of the targets.
    var states: [(target: Target, breaker: CircuitBreaker)] {
        table.withLock { table in table.map { ($0.key, $0.value) } }
            .sorted { ($0.0.upstream, $0.0.model) < ($1.0.upstream, $1.0.model) }
    }
}

extension CircuitBreaker.Status {
    /// The value of the gauge: 0 closed, 1 half-open, 2 open.
    var gauge: Double {
        switch self {
        case .closed: 0
        case .halfOpen: 1
        case .open: 2
        }
    }

    var word: String {
        switch self {
        case .closed: "closed"
        case .halfOpen: "half-open"
        case .open: "open"
        }
    }

    var remaining: Duration? {
        guard case .open(let remaining) = self else { return nil }
        return remaining
    }
}

extension CircuitBreaker.Outcome {
    /// Why a breaker changed, for the log.
    var reason: String {
        switch self {
        case .success: "answered"
        case .failed(let failure, _): failure.rawValue
        case .exhausted: "limit used up"
        case .withoutVerdict: "no verdict"
        }
    }
}
