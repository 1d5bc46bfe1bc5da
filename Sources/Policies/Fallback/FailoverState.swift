/// The one loop over the attempts of a plan.
///
/// Pure: it knows no clock, connection or body. Each event returns the one action that the caller carries
/// out; what comes of the action is the next event.
///
///     start() ─> ask ──admitted(pass, probe)──> send ──answered()──> relay
///                 │                             │  │
///                 │ admitted(refuse)            │  ├─ once each: failed(no connection; first 5xx;
///                 │                             │  │  prompt too long) ─> send again, to the same target
///                 │                             │  └─ once: failed(come back within fallback.patience)
///                 │                             │     ─> wait ──waited()──> send again, to the same target
///                 v                             v
///                ask the next <── failed(a class of fallback.on; unvouched), promptDidNotFit(…)
///                 │ none left        (a moved request asks its primary whatever the class)
///                 v
///       an answer of the primary's? ─> relay, relayHeld
///       one target was tried?       ─> answer 502, 504
///       one target was open?        ─> answer 429
///       nothing fits                ─> answer 400
///       nobody vouches              ─> answer 401
///
/// An answer that was relayed in part may break off: brokeOff(…) ─> ask the next. From then on nothing can be relayed
/// that is no answer, so where none is left the action is `breakOff`.
///
/// "The primary's own answer" is that of the chain's first member, or of the first attempt which got any
/// while that member got none: the client's SDK knows how to retry it. The caller keeps it when an action says
/// `hold`, in place of one kept before, and drops the others.
///
/// One verdict goes to the breaker for each ticket, when its attempt is over: at the action that follows,
/// unless that is a `send` of the same attempt. An attempt that ended in ``promptDidNotFit(tokens:budget:)`` is
/// `withoutVerdict`.
///
/// A `wait` is therefore preceded by the verdict of the try that failed: the breaker opens at once, and
/// everybody else goes round the target. Only those that were told when to come back may do so while it is
/// open, and their second try belongs to no period of the breaker: it is sent without asking again, with
/// ``CircuitBreaker/Ticket/late``. A probe is not waited for: it has to tell soon how the target is.
public struct FailoverState: Equatable, Sendable {
    /// What became of each request that was sent, and of each target that was passed over.
    public private(set) var outcomes: [Entry] = []

    private let plan: Plan
    private let fallback: FallbackSettings
    private var current = 0
    /// What the present attempt was last sent with.
    private var budget: Budget?
    private var retried: Set<Retry> = []
    private var isProbe = false
    private var held: Int?
    private var firstUnanswered: FailureClass?
    private var soonest: Duration?
    private var overflow: OwnAnswer?
    private var wasUnvouched = false
    /// Whether the client has a part of an answer.
    private var hasBegun = false

    /// A second try at the same target; each kind once an attempt.
    private enum Retry: Equatable, Sendable {
        case connection, fault, clipped, patience
    }

    public init(_ plan: Plan, fallback: FallbackSettings) {
        self.plan = plan
        self.fallback = fallback
    }

    /// Whether a breaker can keep a request from being sent: not one that no route matched, nor a chain of
    /// one.
    private var mayRefuse: Bool { plan.route != nil && plan.attempts.count > 1 }

    private var attempt: Attempt { plan.attempts[current] }

    /// The request is about to be sent for the first time.
    public func start() -> Action {
        .ask(attempt: current, mayRefuse: mayRefuse, hold: false)
    }

    /// The breaker was asked.
    public mutating func admitted(
        _ admission: CircuitBreaker.Admission,
        at now: ContinuousClock.Instant
    ) -> Action {
        isProbe = false
        switch admission {
        case .refuse(let until) where mayRefuse:
            note("open")
            let remaining = max(until - now, .zero)
            soonest = min(soonest ?? remaining, remaining)
            return proceed(to: current + 1, hold: false) ?? finish(hasAnswer: false)
        case .probe:
            isProbe = true
            return send(budget: attempt.budget)
        case .pass, .refuse:
            return send(budget: attempt.budget)
        }
    }

    /// An answer came that is no failure.
    public mutating func answered() -> Action {
        note("ok")
        return .relay
    }

    /// What is always kept of the conversation exceeds the attempt's budget: nothing was sent.
    public mutating func promptDidNotFit(tokens: Int, budget: Int) -> Action {
        note(FailureClass.contextExceeded.rawValue)
        overflow = overflow ?? .promptTooLong(tokens: tokens, budget: budget)
        // A target that had already said so itself is followed by a larger one, as in `failed`.
        let next = retried.contains(.clipped) ? nextWithLargerWindow ?? primaryAhead : current + 1
        return next.flatMap { proceed(to: $0, hold: false) } ?? finish(hasAnswer: false)
    }

    /// The attempt failed.
    ///
    /// - Parameters:
    ///   - statedDelay: how long the answer asks to be left alone; nil when it states nothing.
    ///   - isStillAdmitted: whether the attempt's ticket is current (``CircuitBreaker/isCurrent(_:)``). If not,
    ///     others have opened the breaker meanwhile and the target gets no second try.
    public mutating func failed(
        _ failure: Failure,
        statedDelay: Duration? = nil,
        isStillAdmitted: Bool = true
    ) -> Action {
        note(failure)
        let hold = failure.isAnswered && isPrimarysOwn
        // Whoever has nowhere else to go, or was told when to come back, is not bound by the breaker.
        let mayRepeat = isStillAdmitted || !mayRefuse || retried.contains(.patience)
        if mayRepeat, let again = retry(after: failure, hold: hold) { return again }
        if let wait = wait(statedDelay, after: failure.failureClass, hold: hold) { return wait }
        let next = next(after: failure, mayRepeat: mayRepeat)
        if let next, let action = proceed(to: next, hold: hold) { return action }
        if failure.failureClass.isAlwaysPassedOn, failure.isAnswered { return hasBegun ? .breakOff : .relay }
        return finish(hasAnswer: hold)
    }

    /// The answer that was being relayed broke off, and another attempt may go on with it.
    ///
    /// The next target is asked whatever the class, unless the model would not answer.
    public mutating func brokeOff(_ failure: FailureClass) -> Action {
        hasBegun = true
        noteCut(failure)
        guard !failure.isAlwaysPassedOn else { return .breakOff }
        return proceed(to: current + 1, hold: false) ?? .breakOff
    }

    /// An answer that was relayed in part broke off, whatever follows: its attempt did not go well.
    public mutating func noteCut(_ failure: FailureClass) {
        if let last = outcomes.indices.last { outcomes[last].result = failure.rawValue }
    }

    /// The time for the whole request is over: nobody else is asked.
    public mutating func ranOutOfTime() -> Action {
        note(.unanswered(.timeout))
        return finish(hasAnswer: false)
    }

    /// The time of a ``Action/wait(_:attempt:hold:)`` has passed.
    public mutating func waited() -> Action {
        send(budget: budget)
    }
}

extension FailoverState {
    /// Whether an answer of the present attempt stands for the primary, as far as is known by now.
    private var isPrimarysOwn: Bool { (held ?? current) == current || current == plan.primaryPlace }

    private mutating func retry(after failure: Failure, hold: Bool) -> Action? {
        switch failure {
        case .unconnected where retry(.connection):
            return send(budget: budget, onFreshConnection: true, hold: hold)
        case .answered(.upstreamFault, status: 500..., _, _)
        where !isProbe && !retried.contains(.patience) && plan.route != nil && retry(.fault):
            return send(budget: budget, onFreshConnection: true, hold: hold)
        case .answered(.contextExceeded, _, let sentTokens, wasClipped: false):
            guard let budget = tightened(sentTokens: sentTokens), retry(.clipped) else { return nil }
            return send(budget: budget, hold: hold)
        default:
            return nil
        }
    }

    private mutating func retry(_ kind: Retry) -> Bool {
        retried.insert(kind).inserted
    }

    /// Patience with a target that is limited for a short time only.
    ///
    /// Whether the class is routed around does not matter: the last of a chain is waited for as well.
    private mutating func wait(_ stated: Duration?, after failure: FailureClass, hold: Bool) -> Action? {
        guard plan.route != nil, !isProbe, failure.verdict == .limited, fallback.patience > .zero,
            let stated, stated <= fallback.patience, retry(.patience)
        else { return nil }
        if hold { held = current }
        return .wait(max(stated, .zero), attempt: current, hold: hold)
    }

    /// The target's window; three quarters of what was sent where that was within the window.
    ///
    /// In the second case our count is too low for this target, or the answer's share of the window was left
    /// out of it. The same body again would be refused again.
    private func tightened(sentTokens: Int?) -> Budget? {
        guard plan.route != nil, let window = attempt.window else { return nil }
        guard let sentTokens, sentTokens <= window.tokens else { return window }
        return Budget(tokens: sentTokens / 4 * 3, counting: window.counting)
    }

    private func next(after failure: Failure, mayRepeat: Bool) -> Int? {
        switch failure {
        case .unvouched:
            return current + 1
        case .answered(.contextExceeded, _, _, wasClipped: false)
        where !mayRepeat && !retried.contains(.clipped):
            // A cut to this window was all that it took, so another target's will do as well.
            return nextWithWindow(over: 0)
        case .answered(.contextExceeded, _, _, _), .unanswered(.contextExceeded):
            return nextWithLargerWindow ?? primaryAhead
        case .unconnected, .unanswered, .answered:
            let failure = failure.failureClass
            if failure.isAlwaysPassedOn { return nil }
            return fallback.on.contains(failure) ? current + 1 : primaryAhead
        }
    }

    /// The primary, while a moved conversation has not come to it.
    ///
    /// What a fallback holds against a request that was meant for another model is not the client's to hear, so
    /// the primary is asked after all.
    private var primaryAhead: Int? { current < plan.primaryPlace ? plan.primaryPlace : nil }

    private var nextWithLargerWindow: Int? { nextWithWindow(over: attempt.window?.tokens ?? 0) }

    /// Windows are compared in each target's own unscaled tokens; near enough, since they differ by
    /// multiples.
    private func nextWithWindow(over least: Int) -> Int? {
        plan.attempts.indices.dropFirst(current + 1).first { place in
            plan.attempts[place].window.map { $0.tokens > least } ?? false
        }
    }

    private mutating func proceed(to next: Int, hold: Bool) -> Action? {
        guard next < plan.attempts.count else { return nil }
        if hold { held = current }
        current = next
        retried = []
        return .ask(attempt: next, mayRefuse: mayRefuse, hold: hold)
    }

    private mutating func send(budget: Budget?, onFreshConnection: Bool = false, hold: Bool = false) -> Action
    {
        if hold { held = current }
        self.budget = budget
        return .send(attempt: current, budget: budget, onFreshConnection: onFreshConnection, hold: hold)
    }

    /// Nobody is left.
    ///
    /// Of several reasons the client is told the one that it can act on best: what an upstream said, that one
    /// failed, when to come back, how much to shorten. Missing credentials come last: a client gives up at a
    /// 401, though a target that costs none may take its request later.
    ///
    /// - Parameter hasAnswer: whether the primary's own answer has just come.
    private func finish(hasAnswer: Bool) -> Action {
        if hasBegun { return .breakOff }
        if hasAnswer { return .relay }
        if held != nil { return .relayHeld }
        if let firstUnanswered {
            return .answer(firstUnanswered == .timeout ? .gatewayTimeout : .badGateway(firstUnanswered))
        }
        if let soonest { return .answer(.allOpen(retryAfter: soonest)) }
        if let overflow { return .answer(overflow) }
        return .answer(wasUnvouched ? .notVouched : .badGateway(.unreachable))
    }

    private mutating func note(_ failure: Failure) {
        note(failure.failureClass.rawValue)
        switch failure {
        case .unvouched: wasUnvouched = true
        case .unconnected, .unanswered: firstUnanswered = firstUnanswered ?? failure.failureClass
        case .answered: break
        }
    }

    private mutating func note(_ result: String) {
        outcomes.append(Entry(target: attempt.target, result: result))
    }
}

extension FailureClass {
    /// Verdicts on the request and on its sender: they go to the client whoever gave them, and to nobody
    /// else.
    fileprivate var isAlwaysPassedOn: Bool {
        self == .refused || self == .callerLimited
    }
}
