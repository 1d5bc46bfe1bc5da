import Policies
import Testing

@Suite("Every state of a breaker answers every event as its table says")
struct BreakerTableTests {
    /// A breaker, the present instant, and the tickets that are out.
    enum State: String, CaseIterable, Sendable {
        case closed, oneShort, open, halfOpen, probing, openByOrder

        /// Whether a ticket of the present period can be out.
        var givesTickets: Bool { [.closed, .oneShort, .probing].contains(self) }
    }

    enum Event: Hashable, CaseIterable, Sendable {
        case asked, askedWithNowhereElse
        case answered(Kind), answeredLate(Kind)
        case orderedOpen, orderedOpenFor99, orderedClosed

        static let allCases: [Event] =
            [.asked, .askedWithNowhereElse, .orderedOpen, .orderedOpenFor99, .orderedClosed]
            + Kind.allCases.flatMap { [.answered($0), .answeredLate($0)] }
    }

    enum Kind: String, CaseIterable, Sendable {
        case well, exhausted, limited, limitedFor60, failing, neutral

        var outcome: CircuitBreaker.Outcome {
            switch self {
            case .well: .success
            case .exhausted: .exhausted(for: .seconds(40))
            case .limited: .failed(.rateLimited)
            case .limitedFor60: .failed(.overloaded, statedDelay: .seconds(60))
            case .failing: .failed(.timeout)
            case .neutral: .withoutVerdict
            }
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var state: State
        var event: Event
        /// What the breaker says; times are seconds from now.
        var says: String
        /// What it is afterwards; a closed one with the failures that it then takes.
        var becomes: String

        init(_ state: State, _ event: Event, _ says: String, _ becomes: String) {
            self.state = state
            self.event = event
            self.says = says
            self.becomes = becomes
        }

        var testDescription: String { "\(state): \(event)" }
    }

    static let table = closed + oneShort + open + halfOpen + probing + openByOrder

    private static let closed = [
        Row(.closed, .asked, "pass", "closed, 5 to go"),
        Row(.closed, .askedWithNowhereElse, "pass", "closed, 5 to go"),
        Row(.closed, .answered(.well), "nothing", "closed, 5 to go"),
        Row(.closed, .answered(.exhausted), "opened 40", "open 40"),
        Row(.closed, .answered(.limited), "opened 15", "open 15"),
        Row(.closed, .answered(.limitedFor60), "opened 60", "open 60"),
        Row(.closed, .answered(.failing), "nothing", "closed, 4 to go"),
        Row(.closed, .answered(.neutral), "nothing", "closed, 5 to go"),
        Row(.closed, .answeredLate(.well), "nothing", "closed, 5 to go"),
        Row(.closed, .answeredLate(.exhausted), "nothing", "closed, 5 to go"),
        Row(.closed, .answeredLate(.limited), "nothing", "closed, 5 to go"),
        Row(.closed, .answeredLate(.limitedFor60), "nothing", "closed, 5 to go"),
        Row(.closed, .answeredLate(.failing), "nothing", "closed, 5 to go"),
        Row(.closed, .answeredLate(.neutral), "nothing", "closed, 5 to go"),
        Row(.closed, .orderedOpen, "opened 30", "open for good"),
        Row(.closed, .orderedOpenFor99, "opened 99", "open 99"),
        Row(.closed, .orderedClosed, "closed", "closed, 5 to go"),
    ]

    private static let oneShort = [
        Row(.oneShort, .asked, "pass", "closed, 1 to go"),
        Row(.oneShort, .askedWithNowhereElse, "pass", "closed, 1 to go"),
        Row(.oneShort, .answered(.well), "nothing", "closed, 5 to go"),
        Row(.oneShort, .answered(.exhausted), "opened 40", "open 40"),
        Row(.oneShort, .answered(.limited), "opened 15", "open 15"),
        Row(.oneShort, .answered(.limitedFor60), "opened 60", "open 60"),
        Row(.oneShort, .answered(.failing), "opened 15", "open 15"),
        Row(.oneShort, .answered(.neutral), "nothing", "closed, 1 to go"),
        Row(.oneShort, .answeredLate(.well), "nothing", "closed, 1 to go"),
        Row(.oneShort, .answeredLate(.exhausted), "nothing", "closed, 1 to go"),
        Row(.oneShort, .answeredLate(.limited), "nothing", "closed, 1 to go"),
        Row(.oneShort, .answeredLate(.limitedFor60), "nothing", "closed, 1 to go"),
        Row(.oneShort, .answeredLate(.failing), "nothing", "closed, 1 to go"),
        Row(.oneShort, .answeredLate(.neutral), "nothing", "closed, 1 to go"),
        Row(.oneShort, .orderedOpen, "opened 30", "open for good"),
        Row(.oneShort, .orderedOpenFor99, "opened 99", "open 99"),
        Row(.oneShort, .orderedClosed, "closed", "closed, 5 to go"),
    ]

    private static let open = [
        Row(.open, .asked, "refuse 10", "open 10"),
        Row(.open, .askedWithNowhereElse, "pass late", "open 10"),
        Row(.open, .answeredLate(.well), "nothing", "open 10"),
        Row(.open, .answeredLate(.exhausted), "extended 40", "open 40"),
        Row(.open, .answeredLate(.limited), "nothing", "open 10"),
        Row(.open, .answeredLate(.limitedFor60), "extended 60", "open 60"),
        Row(.open, .answeredLate(.failing), "nothing", "open 10"),
        Row(.open, .answeredLate(.neutral), "nothing", "open 10"),
        Row(.open, .orderedOpen, "opened 30", "open for good"),
        Row(.open, .orderedOpenFor99, "opened 99", "open 99"),
        Row(.open, .orderedClosed, "closed", "closed, 5 to go"),
    ]

    private static let halfOpen = [
        Row(.halfOpen, .asked, "probe", "probing, others in 1"),
        Row(.halfOpen, .askedWithNowhereElse, "probe", "probing, others in 1"),
        Row(.halfOpen, .answeredLate(.well), "nothing", "half-open"),
        Row(.halfOpen, .answeredLate(.exhausted), "extended 40", "open 40"),
        Row(.halfOpen, .answeredLate(.limited), "nothing", "half-open"),
        Row(.halfOpen, .answeredLate(.limitedFor60), "extended 60", "open 60"),
        Row(.halfOpen, .answeredLate(.failing), "nothing", "half-open"),
        Row(.halfOpen, .answeredLate(.neutral), "nothing", "half-open"),
        Row(.halfOpen, .orderedOpen, "opened 30", "open for good"),
        Row(.halfOpen, .orderedOpenFor99, "opened 99", "open 99"),
        Row(.halfOpen, .orderedClosed, "closed", "closed, 5 to go"),
    ]

    private static let probing = [
        Row(.probing, .asked, "refuse 1", "probing, others in 1"),
        Row(.probing, .askedWithNowhereElse, "pass late", "probing, others in 1"),
        Row(.probing, .answered(.well), "closed", "closed, 5 to go"),
        Row(.probing, .answered(.exhausted), "opened 40", "open 40"),
        Row(.probing, .answered(.limited), "reopened 30", "open 30"),
        Row(.probing, .answered(.limitedFor60), "reopened 60", "open 60"),
        Row(.probing, .answered(.failing), "reopened 30", "open 30"),
        Row(.probing, .answered(.neutral), "nothing", "half-open"),
        Row(.probing, .answeredLate(.well), "nothing", "probing, others in 1"),
        Row(.probing, .answeredLate(.exhausted), "extended 40", "probing, others in 40"),
        Row(.probing, .answeredLate(.limited), "nothing", "probing, others in 1"),
        Row(.probing, .answeredLate(.limitedFor60), "extended 60", "probing, others in 60"),
        Row(.probing, .answeredLate(.failing), "nothing", "probing, others in 1"),
        Row(.probing, .answeredLate(.neutral), "nothing", "probing, others in 1"),
        Row(.probing, .orderedOpen, "opened 30", "open for good"),
        Row(.probing, .orderedOpenFor99, "opened 99", "open 99"),
        Row(.probing, .orderedClosed, "closed", "closed, 5 to go"),
    ]

    private static let openByOrder = [
        Row(.openByOrder, .asked, "refuse 30", "open for good"),
        Row(.openByOrder, .askedWithNowhereElse, "pass late", "open for good"),
        Row(.openByOrder, .answeredLate(.well), "nothing", "open for good"),
        Row(.openByOrder, .answeredLate(.exhausted), "nothing", "open for good"),
        Row(.openByOrder, .answeredLate(.limited), "nothing", "open for good"),
        Row(.openByOrder, .answeredLate(.limitedFor60), "nothing", "open for good"),
        Row(.openByOrder, .answeredLate(.failing), "nothing", "open for good"),
        Row(.openByOrder, .answeredLate(.neutral), "nothing", "open for good"),
        Row(.openByOrder, .orderedOpen, "opened 30", "open for good"),
        Row(.openByOrder, .orderedOpenFor99, "opened 99", "open 99"),
        Row(.openByOrder, .orderedClosed, "closed", "closed, 5 to go"),
    ]

    @Test("row", arguments: table)
    func row(_ row: Row) throws {
        var scene = try BreakerScene(row.state)

        #expect(try scene.take(row.event) == row.says)
        #expect(try scene.description == row.becomes)
    }

    @Test("the table has each pair of state and event once")
    func isComplete() {
        let possible = State.allCases.flatMap { state in
            Event.allCases
                .filter { event in
                    if case .answered = event { state.givesTickets } else { true }
                }
                .map { "\(state): \($0)" }
        }

        #expect(Self.table.map(\.testDescription).sorted() == possible.sorted())
    }
}
