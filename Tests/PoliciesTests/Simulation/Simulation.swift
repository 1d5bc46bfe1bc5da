import Policies
import TestSupport

/// A thousand clients, three targets and what stands between them, on a virtual clock.
///
/// Everything that decides is the real thing; only connections, providers and people are played. A run is told
/// by its seed alone.
struct Simulation {
    static let clientCount = 1_000
    /// Milliseconds: the targets flap until the first, and nobody comes after the second.
    static let wellFrom = 90_000
    static let end = 160_000
    static let stickyTime = 15_000
    /// How long probes take at most: an answer of 2 s, after one or two clients who left.
    static let probeTime = 8_000

    private enum Event {
        case arrives(client: Int)
        case replied(request: Int, attempt: Int, SimulatedTarget.Reply)
        case waited(request: Int)
        case left(request: Int)
    }

    private let start = ContinuousClock.now
    private let settings: PolicySettings
    private var random: SplitMix
    private var timeline = Timeline<Event>(end: Simulation.end + 60_000)
    private var time = 0
    private var targets: [Target: SimulatedTarget] = [:]
    private var breakers: [Target: CircuitBreaker] = [:]
    private var routes = StickyRoutes()
    private var clients: [SimulatedClient] = []
    private var requests: [SimulatedRequest] = []
    private(set) var ledger = Ledger()

    init(seed: Int, patience: Duration) {
        random = SplitMix(seed: UInt64(seed))
        settings = Self.settings(patience: patience)
        for model in ["a", "b", "c"] {
            targets[Target(model: model, upstream: "litellm")] = .flapping(until: Self.wellFrom, &random)
        }
        for client in 0..<Self.clientCount {
            let model = ["a", "a", "a", "b", "b", "c", "solo"].randomElement(using: &random) ?? "a"
            let isTask = Int.random(in: 0..<10, using: &random) == 0
            clients.append(SimulatedClient(model: model, isTask: isTask, isKnown: client % 50 > 0))
            // All at once, sooner than any answer can come.
            timeline.add(.arrives(client: client), at: Int.random(in: 0...15, using: &random))
        }
    }

    private static func settings(patience: Duration) -> PolicySettings {
        let models = ["a", "b", "c"]
        let chains = models.indices.map { first in
            Route(
                name: models[first],
                when: Condition(model: [Glob(models[first])]),
                chain: (0..<3).map { .model(models[(first + $0) % 3], upstream: nil) }
            )
        }
        let solo = Route(name: "solo", when: Condition(), chain: [.model("a", upstream: nil)])
        return PolicySettings(
            models: [ModelRule(match: [Glob("*")], contextTokens: 8_000)],
            routes: chains + [solo],
            fallback: FallbackSettings(sticky: .milliseconds(stickyTime), patience: patience)
        )
    }

    private var now: ContinuousClock.Instant { start + .milliseconds(time) }

    mutating func run() {
        while let (time, event) = timeline.next() {
            self.time = time
            switch event {
            case .arrives(let client):
                arrive(client)
            case .replied(let request, let attempt, let reply):
                guard !requests[request].isOver, requests[request].attempt == attempt else { continue }
                take(reply, request)
            case .waited(let request):
                guard !requests[request].isOver else { continue }
                requests[request].isPatient = true
                requests[request].ticket = .late
                perform(requests[request].failover.waited(), request)
            case .left(let request):
                if !requests[request].isOver { leave(request) }
            }
        }
        closeAccounts()
    }

    private mutating func closeAccounts() {
        for (target, simulated) in targets {
            guard let well = simulated.phases.last?.start else { continue }
            ledger.closesAccount(of: target, wellSince: well, probeTime: Self.probeTime)
        }
        ledger.expect(requests.allSatisfy { $0.isOver && $0.ticket == nil }, "a request never ended")
    }
}

// MARK: - Clients

extension Simulation {
    private mutating func arrive(_ client: Int) {
        let digest = StableDigest(high: UInt64(client), low: 1)
        let facts = RequestFacts(
            model: clients[client].model,
            startsTurn: !clients[client].owesToolResult,
            isTask: clients[client].isTask,
            conversation: clients[client].isTask ? nil : digest
        )
        let plan = plan(facts, digest)
        if facts.conversation != nil, plan.attempts.count > 1 { check(plan, facts, clients[client]) }
        let request = requests.count
        requests.append(
            SimulatedRequest(
                client: client,
                arrival: time,
                facts: facts,
                plan: plan,
                fallback: settings.fallback
            )
        )
        ledger.began()
        if Int.random(in: 0..<16, using: &random) == 0 {
            timeline.add(.left(request: request), at: time + Int.random(in: 100...3_000, using: &random))
        }
        perform(requests[request].failover.start(), request)
    }

    private func plan(_ facts: RequestFacts, _ digest: StableDigest) -> Plan {
        let chain = Policies.plan(facts, settings: settings, upstream: "litellm")
        let primary = breakers[chain.attempts[0].target]?.peek(at: now) ?? .pass
        let sticky = facts.conversation.flatMap(routes.route)
        return chain.steered(by: Situation(now: now, sticky: sticky, primary: primary), for: facts)
    }

    /// A tool result goes to the fallback that asked for it; a turn to the primary, once its time is over.
    private mutating func check(_ plan: Plan, _ facts: RequestFacts, _ client: SimulatedClient) {
        if !facts.startsTurn, let moved = client.moved {
            ledger.expect(plan.attempts[0].target == moved.target, "\(time): switched inside a turn")
            ledger.keptToolResult()
        }
        if facts.startsTurn, client.moved.map({ $0.time + Self.stickyTime <= time }) ?? true {
            ledger.expect(!plan.isSticky, "\(time): \(facts.model) did not return")
        }
    }

    private mutating func leave(_ request: Int) {
        settle(.withoutVerdict, request)
        finish(request, answeredBy: nil)
    }

    /// The client goes on: with the result of a tool at once, with a new turn after some thought.
    private mutating func finish(_ request: Int, answeredBy target: Target?) {
        requests[request].isOver = true
        ledger.ended()
        let client = requests[request].client
        if let target { clients[client].answered(by: target, at: time) }
        let callsTool = target != nil && Int.random(in: 0..<5, using: &random) < 2
        clients[client].owesToolResult = callsTool
        let pause = callsTool ? 100...1_000 : 4_000...20_000
        let next = time + Int.random(in: pause, using: &random)
        if next < Self.end { timeline.add(.arrives(client: client), at: next) }
    }
}

// MARK: - Attempts

extension Simulation {
    private mutating func perform(_ action: FailoverState.Action, _ request: Int) {
        switch action {
        case .ask(let place, let mayRefuse, _):
            ask(place, mayRefuse: mayRefuse, request)
        case .send(_, _, let fresh, _):
            send(request, onFreshConnection: fresh)
        case .wait(let delay, _, _):
            timeline.add(.waited(request: request), at: time + Int(delay / .milliseconds(1)))
        case .relay, .relayHeld, .answer, .breakOff:
            finish(request, answeredBy: nil)
        }
    }

    private mutating func ask(_ place: Int, mayRefuse: Bool, _ request: Int) {
        requests[request].place = place
        requests[request].isPatient = false
        let target = requests[request].target
        let admission = breakers[target, default: CircuitBreaker()].admit(at: now, mayRefuse: mayRefuse)
        requests[request].ticket = admission.ticket
        if case .probe = admission {
            requests[request].isProbe = true
            ledger.wasAdmittedAsProbe(target, at: time)
        }
        perform(requests[request].failover.admitted(admission, at: now), request)
    }

    private mutating func send(_ request: Int, onFreshConnection: Bool) {
        let target = requests[request].target
        requests[request].attempt += 1
        if clients[requests[request].client].isStranger(to: target) {
            return take(.failure(.unvouched, statedDelay: nil), request)
        }
        ledger.sends(target, excuse(of: requests[request]), at: time)
        // Once a request: what meets a second one goes on down the chain, however well the target is.
        let isReused = requests[request].attempt == 1 && !onFreshConnection
        guard
            let (latency, reply) = targets[target]?.reply(at: time, isReused: isReused, &random)
        else { return }
        timeline.add(
            .replied(request: request, attempt: requests[request].attempt, reply),
            at: time + latency
        )
    }

    private func excuse(of request: SimulatedRequest) -> Ledger.Excuse? {
        if request.isProbe { return .probe }
        if request.isPatient { return .patience }
        return request.plan.attempts.count == 1 ? .nowhereElse : nil
    }

    private mutating func take(_ reply: SimulatedTarget.Reply, _ request: Int) {
        switch reply {
        case .answer(let exhausted):
            settle(exhausted.map { .exhausted(for: $0) } ?? .success, request)
            _ = requests[request].failover.answered()
            remember(request)
            checkReturn(of: requests[request])
            finish(request, answeredBy: requests[request].target)
        case .failure(let failure, let stated):
            let isCurrent = requests[request].ticket
                .flatMap { breakers[requests[request].target]?.isCurrent($0) }
            let action = requests[request].failover.failed(
                failure,
                statedDelay: stated,
                isStillAdmitted: isCurrent ?? true
            )
            let sendsAgain = if case .send = action { true } else { false }
            if !sendsAgain { settle(.failed(failure.failureClass, statedDelay: stated), request) }
            perform(action, request)
        }
    }

    private mutating func remember(_ request: Int) {
        let (plan, facts, target) = (
            requests[request].plan, requests[request].facts, requests[request].target
        )
        guard let conversation = facts.conversation else { return }
        switch plan.stickiness(afterAnswerFrom: target, facts) {
        case .none: break
        case .moved(let target): routes.moved(conversation, to: target, until: now + settings.fallback.sticky)
        case .returned:
            if routes.route(of: conversation) != nil { ledger.sawReturn() }
            routes.returned(conversation)
        }
    }

    /// Once all targets are well, a turn that begins with the primary is answered by it.
    private mutating func checkReturn(of request: SimulatedRequest) {
        guard request.facts.startsTurn, !request.plan.isSticky, request.plan.attempts.count > 1,
            request.arrival >= Self.wellFrom, let closed = ledger.allClosedSince, closed < request.arrival
        else { return }
        ledger.expect(
            request.target.model == request.facts.model,
            "\(time): a request for \(request.facts.model) went to \(request.target.model)"
        )
        ledger.sawTurnOfWellPrimary()
    }

    private mutating func settle(_ outcome: CircuitBreaker.Outcome, _ request: Int) {
        guard let ticket = requests[request].ticket.take() else { return }
        let (target, now) = (requests[request].target, now)
        let isLate = breakers[target]?.isCurrent(ticket) == false
        let transition = breakers[target]?.record(outcome, for: ticket, at: now)
        let isProbe = requests[request].isProbe
        requests[request].isProbe = false
        if isProbe { ledger.probeEnded(target) }
        ledger.recorded(
            outcome,
            transition,
            isProbe: isProbe,
            isLate: isLate,
            target,
            at: time,
            since: start
        )
    }
}
