import Policies

/// One request under way.
struct SimulatedRequest {
    let client: Int
    /// Milliseconds since the start.
    let arrival: Int
    let facts: RequestFacts
    let plan: Plan
    var failover: FailoverState
    /// The attempt that is under way, and its number: a reply to an earlier one comes too late.
    var place = 0
    var attempt = 0
    /// Nil while no verdict is owed.
    var ticket: CircuitBreaker.Ticket?
    var isProbe = false
    /// Whether the present try was waited for.
    var isPatient = false
    var isOver = false

    init(client: Int, arrival: Int, facts: RequestFacts, plan: Plan, fallback: FallbackSettings) {
        self.client = client
        self.arrival = arrival
        self.facts = facts
        self.plan = plan
        failover = FailoverState(plan, fallback: fallback)
    }

    var target: Target { plan.attempts[place].target }
}

/// Somebody who sends one request after another, all of one conversation.
struct SimulatedClient {
    var model: String
    var isTask: Bool
    /// Whether the sidecar would spend a credential of its own on the client.
    var isKnown: Bool
    /// Whether the next request carries the result of a tool.
    var owesToolResult = false
    /// Which fallback answered last, and since when it does; nil after an answer of the primary.
    private(set) var moved: (target: Target, time: Int)?

    init(model: String, isTask: Bool, isKnown: Bool) {
        self.model = model
        self.isTask = isTask
        self.isKnown = isKnown
    }

    mutating func answered(by target: Target, at time: Int) {
        if target.model == model {
            moved = nil
        } else if moved?.target != target {
            moved = (target, time)
        }
    }

    /// Whether a target is closed to the client: `c` costs a credential of the sidecar's own.
    func isStranger(to target: Target) -> Bool {
        !isKnown && target.model == "c" && model != "c"
    }
}
