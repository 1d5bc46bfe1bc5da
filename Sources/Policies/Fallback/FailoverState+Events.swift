/// What goes into the failover and what comes out of it.
extension FailoverState {
    /// What the caller carries out next; what comes of it is the next event.
    public enum Action: Equatable, Sendable {
        /// Ask the breaker of the attempt's target. `mayRefuse` is false where nothing else could be tried.
        case ask(attempt: Int, mayRefuse: Bool, hold: Bool)
        /// Fit the prompt into the budget, if there is one, and send it.
        case send(attempt: Int, budget: Budget?, onFreshConnection: Bool, hold: Bool)
        /// Let the time pass that the target asked for, then tell ``FailoverState/waited()``.
        case wait(Duration, attempt: Int, hold: Bool)
        /// Pass on the answer that has just come.
        case relay
        /// Pass on the answer that is held.
        case relayHeld
        /// Answer without an upstream.
        case answer(OwnAnswer)
        /// End the answer of which the client has a part with an error: nobody is left to go on with it.
        case breakOff
    }

    /// An answer of the sidecar's own.
    public enum OwnAnswer: Equatable, Sendable {
        /// 429 with `Retry-After`: every target is left alone at present, and nothing was sent.
        case allOpen(retryAfter: Duration)
        /// 502: no upstream answered.
        case badGateway(FailureClass)
        /// 504: no upstream answered in time.
        case gatewayTimeout
        /// 400 `context_length_exceeded`: what is always kept fits no target.
        case promptTooLong(tokens: Int, budget: Int)
        /// 401: only credentials of the sidecar's own were left to try, and nobody vouches for the client.
        case notVouched
    }

    /// How an attempt failed.
    public enum Failure: Equatable, Sendable {
        /// No connection came about, or a reused one was closed before one byte of the answer: nothing was
        /// done with the request.
        case unconnected
        /// The target costs a credential of the sidecar's own and nobody vouches for the client: nothing was
        /// sent, and another target may serve it.
        case unvouched
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
}

extension FailoverState.Failure {
    /// The class, by which breaker, figures and the choice of the next attempt go.
    public var failureClass: FailureClass {
        switch self {
        case .unconnected: .unreachable
        case .unvouched: .auth
        case .unanswered(let failure): failure
        case .answered(let failure, _, _, _): failure
        }
    }

    var isAnswered: Bool {
        guard case .answered = self else { return false }
        return true
    }
}
