/// What a failed attempt says, as far as routing is concerned.
///
/// The raw values are the words of the configuration (`fallback.on`), of metric labels and of log lines.
public enum FailureClass: String, Hashable, Sendable, CaseIterable {
    /// The provider asks to come back later.
    case rateLimited = "rate_limited"
    /// The account is out of money or quota: waiting does not help, another provider does.
    case quotaExhausted = "quota_exhausted"
    /// The provider, or every deployment of the model, is too busy.
    case overloaded
    /// The provider failed, or something in front of it.
    case upstreamFault = "upstream_fault"
    /// No answer, or none in time.
    case timeout
    /// No connection to the upstream, or none from LiteLLM to the provider.
    case unreachable
    /// The prompt is longer than the model's window.
    ///
    /// Answered by clipping or by a larger window, never by the same body again.
    case contextExceeded = "context_exceeded"
    /// The body is larger than the provider takes, whatever its tokens are.
    case tooLarge = "too_large"
    /// The provider does not serve the place that the request comes from.
    case regionBlocked = "region_blocked"
    /// Content policy: never routed around.
    case refused
    /// A limit or budget that LiteLLM puts on the key, user or team: passed on unchanged, never routed
    /// around.
    case callerLimited = "caller_limited"
    /// The request itself is wrong. Sent elsewhere it would only be refused again.
    case callerFault = "caller_fault"
    /// A credential is missing, wrong or not allowed to do this.
    case auth
}
