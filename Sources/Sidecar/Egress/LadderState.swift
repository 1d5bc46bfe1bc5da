internal import Egress
internal import Policies

/// Which rung of a hop the next connection takes, from how the last ones went.
///
/// Pure: it knows no clock and no connection. The rung that worked last is taken first, then the others in their
/// order; one whose breaker is open is passed over, unless all that are left are. A failure that is the
/// destination's leads to the next rung too, but counts against none.
///
///     started ─> try(rung) ──worked──> settled; the rung comes first from now on
///                   │  ^
///                   │  │ failed, and a rung is left
///                   v  │
///                 failed, none left ─> give up
struct LadderState: Sendable {
    /// A rung, and what is remembered of it.
    struct Entry: Sendable {
        let rung: Rung
        var breaker: CircuitBreaker
        /// Nil while it works.
        var lastFault: RoadFault?
        /// Whether the provider last refused to serve the place that the rung comes out at.
        var isBlocked = false
    }

    /// What the caller does next.
    enum Action: Equatable, Sendable {
        /// Open a connection by this rung, and tell what became of it.
        case attempt(Rung, CircuitBreaker.Ticket)
        /// Every rung has been tried.
        case giveUp
    }

    private(set) var entries: [Entry]
    /// The rung that is tried first; nil for the first of the ladder.
    private(set) var preferred: Rung?

    init(_ rungs: [Rung], _ settings: CircuitBreaker.Settings) {
        entries = rungs.map { Entry(rung: $0, breaker: CircuitBreaker(settings: Self.strict(settings))) }
    }

    /// A rung that fails once is left alone: another can do its work, and where none can it is tried all the same.
    private static func strict(_ settings: CircuitBreaker.Settings) -> CircuitBreaker.Settings {
        var settings = settings
        settings.failuresToOpen = 1
        return settings
    }

    /// A connection is wanted, or the rung tried last did not lead to one.
    ///
    /// - Parameter tried: the rungs that this connection has tried.
    mutating func started(after tried: [Rung], at now: ContinuousClock.Instant) -> Action {
        let left = order.filter { !tried.contains(entries[$0].rung) }
        for place in left {
            switch entries[place].breaker.admit(at: now) {
            case .pass(let ticket), .probe(let ticket): return .attempt(entries[place].rung, ticket)
            case .refuse: continue
            }
        }
        // Better a rung that failed a moment ago than none at all.
        return left.first.map { .attempt(entries[$0].rung, .late) } ?? .giveUp
    }

    /// A background try of a rung is due.
    ///
    /// - Returns: nil for a rung that is well, or whose time to be asked has not come.
    mutating func probeFellDue(of rung: Rung, at now: ContinuousClock.Instant) -> CircuitBreaker.Ticket? {
        guard let place = place(of: rung), case .probe = entries[place].breaker.peek(at: now),
            case .probe(let ticket) = entries[place].breaker.admit(at: now)
        else { return nil }
        return ticket
    }

    /// Bytes have come back by the rung: the next connections go by it.
    mutating func worked(_ rung: Rung, _ ticket: CircuitBreaker.Ticket, at now: ContinuousClock.Instant) {
        guard place(of: rung) != nil else { return }
        proved(rung, ticket, at: now)
        preferred = rung
    }

    /// A background try has shown that the rung works; what connections go by stays as it is.
    mutating func proved(_ rung: Rung, _ ticket: CircuitBreaker.Ticket, at now: ContinuousClock.Instant) {
        guard let place = place(of: rung) else { return }
        if ticket == .late {
            // It was let through an open breaker, and shows that there is no reason for that any more.
            _ = entries[place].breaker.forceClose(at: now)
        } else {
            _ = entries[place].breaker.record(.success, for: ticket, at: now)
        }
        entries[place].lastFault = nil
        entries[place].isBlocked = false
    }

    /// The rung led to nothing.
    mutating func failed(
        _ rung: Rung,
        _ ticket: CircuitBreaker.Ticket,
        by fault: RoadFault,
        at now: ContinuousClock.Instant
    ) {
        guard let place = place(of: rung) else { return }
        guard fault.blamesRung else { return abandoned(rung, ticket, at: now) }
        let failure: FailureClass = fault == .timedOut ? .timeout : .unreachable
        _ = entries[place].breaker.record(.failed(failure), for: ticket, at: now)
        entries[place].lastFault = fault
    }

    /// The try ended without telling anything: whoever wanted it has left.
    mutating func abandoned(_ rung: Rung, _ ticket: CircuitBreaker.Ticket, at now: ContinuousClock.Instant) {
        guard let place = place(of: rung) else { return }
        _ = entries[place].breaker.record(.withoutVerdict, for: ticket, at: now)
    }

    /// The provider does not serve the place that the rung comes out at.
    mutating func wasBlocked(_ rung: Rung, at now: ContinuousClock.Instant) {
        guard let place = place(of: rung) else { return }
        entries[place].isBlocked = true
        if preferred == rung { preferred = nil }
        guard case .pass = entries[place].breaker.peek(at: now),
            case .pass(let ticket) = entries[place].breaker.admit(at: now)
        else { return }
        _ = entries[place].breaker.record(.failed(.regionBlocked), for: ticket, at: now)
    }

    /// A configuration was put in force: what is known of the rungs that stay is kept.
    mutating func reloaded(_ rungs: [Rung], _ settings: CircuitBreaker.Settings) {
        let known = Dictionary(entries.map { ($0.rung, $0) }, uniquingKeysWith: { first, _ in first })
        let fresh = LadderState(rungs, settings)
        entries = fresh.entries.map { entry in
            guard var kept = known[entry.rung] else { return entry }
            kept.breaker.settings = entry.breaker.settings
            return kept
        }
        if let preferred, place(of: preferred) == nil { self.preferred = nil }
    }

    /// Places of the rungs in the order in which they are tried.
    private var order: [Int] {
        guard let first = preferred.flatMap(place) else { return Array(entries.indices) }
        return [first] + entries.indices.filter { $0 != first }
    }

    private func place(of rung: Rung) -> Int? {
        entries.firstIndex { $0.rung == rung }
    }
}
