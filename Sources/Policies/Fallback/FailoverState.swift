/// The one loop over the attempts of a plan.
///
/// Pure: it knows no clock, connection or body. Each event returns the one action that the caller carries
/// out; what comes of the action is the next event.
///
///     start() ─> ask ──admitted(pass, probe)──> send ──answered()──> relay
///                 │                             │  │
///                 │ admitted(refuse)            │  └─ once each: failed(no connection; first 5xx;
///                 │                             │     prompt too long) ─> send again, to the same target
///                 v                             v
///                ask the next <── failed(a class of fallback.on), promptDidNotFit(…)
///                 │ none left
///                 v
///       an answer of the primary's? ─> relay, relayHeld
///       one target was tried?       ─> answer 502, 504
///       one target was open?        ─> answer 429
///       nothing fits                ─> answer 400
///
/// "The primary's own answer" is that of the first attempt which got any: the client's SDK knows how to retry
/// it. The caller keeps it when an action says `hold`, in place of one kept before, and drops the others.
///
/// One verdict goes to the breaker for each ticket, when its attempt is over: at the action that follows,
/// unless that is a `send` of the same attempt. An attempt that ended in ``promptDidNotFit(tokens:budget:)`` is
/// `withoutVerdict`.
public struct FailoverState: Equatable, Sendable {
    public enum Action: Equatable, Sendable {
        /// Ask the breaker of the attempt's target. `mayRefuse` is false where nothing else could be tried.
        case ask(attempt: Int, mayRefuse: Bool, hold: Bool)
        /// Fit the prompt into the budget, if there is one, and send it.
        case send(attempt: Int, budget: Budget?, onFreshConnection: Bool, hold: Bool)
        /// Pass on the answer that has just come.
        case relay
        /// Pass on the answer that is held.
        case relayHeld
        /// Answer without an upstream.
        case answer(OwnAnswer)
    }

    public enum OwnAnswer: Equatable, Sendable {
        /// 429 with `Retry-After`: every target is left alone at present, and nothing was sent.
        case allOpen(retryAfter: Duration)
        /// 502: no upstream answered.
        case badGateway(FailureClass)
        /// 504: no upstream answered in time.
        case gatewayTimeout
        /// 400 `context_length_exceeded`: what is always kept fits no target.
        case promptTooLong(tokens: Int, budget: Int)
    }

    /// How an attempt failed.
    public enum Failure: Equatable, Sendable {
        /// No connection came about, or a reused one was closed before one byte of the answer: nothing was
        /// done with the request.
        case unconnected
        /// Connected, but no usable answer came.
        case unanswered(FailureClass)
        /// An answer that says what went wrong.
        ///
        /// - `sentTokens`: unscaled tokens of the prompt as it was sent; nil when it was not counted.
        /// - `wasClipped`: whether messages were dropped from it or texts shortened.
        case answered(FailureClass, status: Int, sentTokens: Int? = nil, wasClipped: Bool = false)
    }

    /// One line of what was tried.
    public struct Entry: Equatable, Sendable {
        public var target: Target
        /// `ok`, `open` where the breaker refused, or the raw value of a ``FailureClass``.
        public var result: String
    }

    /// What became of each request that was sent, and of each target that was passed over.
    public private(set) var outcomes: [Entry] = []

    private let plan: Plan
    private let fallback: FallbackSettings
    private var current = 0
    private var retried: Set<Retry> = []
    private var isProbe = false
    private var held: Int?
    private var firstUnanswered: FailureClass?
    private var soonest: Duration?
    private var overflow: OwnAnswer?

    /// A second try at the same target; each kind once an attempt.
    private enum Retry: Equatable, Sendable {
        case connection, fault, clipped
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
        let next = retried.contains(.clipped) ? nextWithLargerWindow : current + 1
        return next.flatMap { proceed(to: $0, hold: false) } ?? finish(hasAnswer: false)
    }

    /// The attempt failed.
    public mutating func failed(_ failure: Failure) -> Action {
        note(failure.failureClass.rawValue)
        if case .answered = failure {} else { firstUnanswered = firstUnanswered ?? failure.failureClass }
        let hold = failure.isAnswered && (held ?? current) == current
        if let again = retry(after: failure, hold: hold) { return again }
        if let next = next(after: failure.failureClass), let action = proceed(to: next, hold: hold) {
            return action
        }
        if failure.failureClass.isAlwaysPassedOn, failure.isAnswered { return .relay }
        return finish(hasAnswer: hold)
    }
}

extension FailoverState {
    private mutating func retry(after failure: Failure, hold: Bool) -> Action? {
        switch failure {
        case .unconnected where retry(.connection):
            return send(budget: attempt.budget, onFreshConnection: true, hold: hold)
        case .answered(.upstreamFault, status: 500..., _, _)
        where !isProbe && plan.route != nil && retry(.fault):
            return send(budget: attempt.budget, onFreshConnection: true, hold: hold)
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

    /// The target's window; three quarters of what was sent where that was within the window.
    ///
    /// In the second case our count is too low for this target, or the answer's share of the window was left
    /// out of it. The same body again would be refused again.
    private func tightened(sentTokens: Int?) -> Budget? {
        guard plan.route != nil, let window = attempt.window else { return nil }
        guard let sentTokens, sentTokens <= window.tokens else { return window }
        return Budget(tokens: sentTokens / 4 * 3, encoding: window.encoding)
    }

    private func next(after failure: FailureClass) -> Int? {
        if failure == .contextExceeded { return nextWithLargerWindow }
        return fallback.on.contains(failure) && !failure.isAlwaysPassedOn ? current + 1 : nil
    }

    /// Windows are compared in each target's own unscaled tokens; near enough, since they differ by
    /// multiples.
    private var nextWithLargerWindow: Int? {
        let least = attempt.window?.tokens ?? 0
        return plan.attempts.indices.dropFirst(current + 1).first { place in
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
        return .send(attempt: current, budget: budget, onFreshConnection: onFreshConnection, hold: hold)
    }

    /// Nobody is left.
    ///
    /// - Parameter hasAnswer: whether the primary's own answer has just come.
    private func finish(hasAnswer: Bool) -> Action {
        if hasAnswer { return .relay }
        if held != nil { return .relayHeld }
        if let firstUnanswered {
            return .answer(firstUnanswered == .timeout ? .gatewayTimeout : .badGateway(firstUnanswered))
        }
        if let soonest { return .answer(.allOpen(retryAfter: soonest)) }
        return .answer(overflow ?? .badGateway(.unreachable))
    }

    private mutating func note(_ result: String) {
        outcomes.append(Entry(target: attempt.target, result: result))
    }
}

extension FailoverState.Failure {
    /// The class, by which breaker, figures and the choice of the next attempt go.
    public var failureClass: FailureClass {
        switch self {
        case .unconnected: .unreachable
        case .unanswered(let failure): failure
        case .answered(let failure, _, _, _): failure
        }
    }

    fileprivate var isAnswered: Bool {
        guard case .answered = self else { return false }
        return true
    }
}

extension FailureClass {
    /// Verdicts on the request and on its sender: they go to the client whoever gave them, and to nobody
    /// else.
    fileprivate var isAlwaysPassedOn: Bool {
        self == .refused || self == .callerLimited
    }
}
