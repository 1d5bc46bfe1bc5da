import Policies
import Testing

/// A breaker in a given state at a given instant, told in words.
struct BreakerScene {
    private let now = ContinuousClock.now
    private var breaker = CircuitBreaker()
    /// Of an earlier period than the present one.
    private var earlier = CircuitBreaker.Ticket.late
    /// Of the present period; nil where none can be out.
    private var present: CircuitBreaker.Ticket?

    init(_ state: BreakerTableTests.State) throws {
        earlier = try #require(breaker.admit(at: now - .seconds(100)).ticket)
        _ = breaker.forceClose(at: now - .seconds(100))
        switch state {
        case .closed: present = breaker.admit(at: now).ticket
        case .oneShort: try fail(times: 4)
        case .open: try limit(before: .seconds(5))
        case .halfOpen: try limit(before: .seconds(15))
        case .probing:
            try limit(before: .seconds(15))
            present = breaker.admit(at: now).ticket
        case .openByOrder: _ = breaker.forceOpen(at: now - .seconds(5))
        }
    }

    private mutating func fail(times: Int) throws {
        let ticket = try #require(breaker.admit(at: now).ticket)
        for _ in 0..<times { _ = breaker.record(.failed(.timeout), for: ticket, at: now) }
        present = ticket
    }

    private mutating func limit(before: Duration) throws {
        let ticket = try #require(breaker.admit(at: now - before).ticket)
        _ = breaker.record(.failed(.rateLimited), for: ticket, at: now - before)
    }

    mutating func take(_ event: BreakerTableTests.Event) throws -> String {
        switch event {
        case .asked: word(breaker.admit(at: now))
        case .askedWithNowhereElse: word(breaker.admit(at: now, mayRefuse: false))
        case .answered(let kind): word(breaker.record(kind.outcome, for: try #require(present), at: now))
        case .answeredLate(let kind): word(breaker.record(kind.outcome, for: earlier, at: now))
        case .orderedOpen: word(breaker.forceOpen(at: now))
        case .orderedOpenFor99: word(breaker.forceOpen(until: now + .seconds(99), at: now))
        case .orderedClosed: word(breaker.forceClose(at: now))
        }
    }

    private func word(_ admission: CircuitBreaker.Admission) -> String {
        switch admission {
        case .pass(let ticket): ticket == .late ? "pass late" : "pass"
        case .probe: "probe"
        case .refuse(let until): "refuse \(seconds(until))"
        }
    }

    private func word(_ transition: CircuitBreaker.Transition?) -> String {
        switch transition {
        case nil: "nothing"
        case .opened(let until): "opened \(seconds(until))"
        case .reopened(let until): "reopened \(seconds(until))"
        case .extended(let until): "extended \(seconds(until))"
        case .closed: "closed"
        }
    }

    private func seconds(_ instant: ContinuousClock.Instant) -> Int64 { (instant - now).components.seconds }

    var description: String {
        get throws {
            switch (breaker.status(at: now), breaker.peek(at: now)) {
            case (.closed, _): "closed, \(try failuresToOpen) to go"
            case (.open(nil), _): "open for good"
            case (.open(let remaining?), _): "open \(remaining.components.seconds)"
            case (.halfOpen, .refuse(let until)): "probing, others in \(seconds(until))"
            case (.halfOpen, _): "half-open"
            }
        }
    }

    private var failuresToOpen: Int {
        get throws {
            var copy = breaker
            let ticket = try #require(copy.admit(at: now).ticket)
            let count = (1...9).first { _ in copy.record(.failed(.timeout), for: ticket, at: now) != nil }
            return try #require(count)
        }
    }
}

extension CircuitBreaker.Admission {
    /// The ticket of an admitted request.
    var ticket: CircuitBreaker.Ticket? {
        switch self {
        case .pass(let ticket), .probe(let ticket): ticket
        case .refuse: nil
        }
    }
}
