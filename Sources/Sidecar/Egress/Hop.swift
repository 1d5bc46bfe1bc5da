internal import Egress
internal import Policies
internal import Synchronization
internal import Telemetry

/// A way out: a ladder of rungs, shared by the event loops and kept over a reload.
final class Hop: Sendable {
    let name: String
    let label: Label
    private let ladder: Mutex<LadderState>

    init(_ name: String, _ rungs: [Rung], _ settings: CircuitBreaker.Settings) {
        self.name = name
        label = Label(name)
        ladder = Mutex(LadderState(rungs, settings))
    }

    /// Asks for the next rung of a connection.
    func next(after tried: [Rung]) -> LadderState.Action {
        let now = ContinuousClock.now
        return ladder.withLock { $0.started(after: tried, at: now) }
    }

    func worked(_ rung: Rung, _ ticket: CircuitBreaker.Ticket) {
        let now = ContinuousClock.now
        ladder.withLock { $0.worked(rung, ticket, at: now) }
    }

    func proved(_ rung: Rung, _ ticket: CircuitBreaker.Ticket) {
        let now = ContinuousClock.now
        ladder.withLock { $0.proved(rung, ticket, at: now) }
    }

    func failed(_ rung: Rung, _ ticket: CircuitBreaker.Ticket, by fault: RoadFault) {
        let now = ContinuousClock.now
        ladder.withLock { $0.failed(rung, ticket, by: fault, at: now) }
    }

    func abandoned(_ rung: Rung, _ ticket: CircuitBreaker.Ticket) {
        let now = ContinuousClock.now
        ladder.withLock { $0.abandoned(rung, ticket, at: now) }
    }

    func wasBlocked(_ rung: Rung) {
        let now = ContinuousClock.now
        ladder.withLock { $0.wasBlocked(rung, at: now) }
    }

    /// The rungs whose time for a background try has come.
    func dueProbes() -> [(rung: Rung, ticket: CircuitBreaker.Ticket)] {
        let now = ContinuousClock.now
        return ladder.withLock { ladder in
            ladder.entries.map(\.rung).compactMap { rung in
                ladder.probeFellDue(of: rung, at: now).map { (rung, $0) }
            }
        }
    }

    func reload(_ rungs: [Rung], _ settings: CircuitBreaker.Settings) {
        ladder.withLock { $0.reloaded(rungs, settings) }
    }

    /// The rungs as they stand, and the one that is tried first.
    var state: (entries: [LadderState.Entry], preferred: Rung?) {
        ladder.withLock { ($0.entries, $0.preferred ?? $0.entries.first?.rung) }
    }
}

/// The hops by their names, shared by the event loops.
final class Hops: Sendable {
    private let table: Mutex<[String: Hop]>

    init(_ configuration: Configuration) {
        table = Mutex([:])
        adopt(configuration)
    }

    subscript(name: String) -> Hop? { table.withLock { $0[name] } }

    /// In the order of their names.
    var all: [Hop] { table.withLock { $0.values.sorted { $0.name < $1.name } } }

    /// Puts a configuration in force; what is known of rungs that stay is kept.
    func adopt(_ configuration: Configuration) {
        let settings = configuration.policies.breaker
        table.withLock { table in
            table = table.filter { configuration.egress.hops[$0.key] != nil }
            for (name, rungs) in configuration.egress.hops {
                if let hop = table[name] {
                    hop.reload(rungs, settings)
                } else {
                    table[name] = Hop(name, rungs, settings)
                }
            }
        }
    }
}
