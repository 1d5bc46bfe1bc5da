extension CircuitBreaker.Outcome {
    /// What an outcome says about the health of the target.
    enum Verdict: Equatable, Sendable {
        /// The provider worked on the request.
        case well
        /// It worked on the request, and grants no more for this long: opens at once.
        case spent(Duration)
        /// It asks to be left alone: opens at once (`rateLimitsToOpen`).
        case limited
        /// It did not do its work: opens after some in a row (`failuresToOpen`).
        case failing
        /// Nothing: neither counts nor resets, and gives a probe's permit back.
        case none
    }

    var verdict: Verdict {
        switch self {
        case .success: .well
        case .exhausted(let delay): delay > .zero ? .spent(delay) : .well
        case .failed(let failure, _): failure.verdict
        case .withoutVerdict: .none
        }
    }

    var statedDelay: Duration? {
        switch self {
        case .failed(_, let delay): delay
        case .exhausted(let delay): delay
        case .success, .withoutVerdict: nil
        }
    }

    /// The stated delay where it is the target's own: LiteLLM's and the caller's limits state some too.
    var believedDelay: Duration? {
        switch verdict {
        case .limited, .failing, .spent: statedDelay
        case .well, .none: nil
        }
    }
}

extension FailureClass {
    /// Which failures are the target's.
    ///
    /// A provider that judges a prompt (too long for its window, against its policy) has taken the request
    /// past its limits, so it is well. The other neutral classes prove nothing: LiteLLM gives 400, 401, 413
    /// and its own 429s without asking the provider, and a client with a wrong key must neither open nor
    /// close a breaker.
    var verdict: CircuitBreaker.Outcome.Verdict {
        switch self {
        case .rateLimited, .quotaExhausted, .overloaded: .limited
        case .upstreamFault, .timeout, .unreachable, .regionBlocked: .failing
        case .contextExceeded, .refused: .well
        case .callerLimited, .callerFault, .auth, .tooLarge: .none
        }
    }
}
