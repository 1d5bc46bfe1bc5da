/// What went wrong on the way to a destination, by stage.
///
/// A closed set without text from outside, so that it can be a metric's label.
public enum RoadFault: String, Error, CaseIterable, Hashable, Sendable {
    /// A name has no address: the proxy's, or on the direct road the destination's.
    case unresolved
    /// No connection could be made to any address.
    case unreachable
    /// The road was not open within its time.
    case timedOut = "timed_out"
    /// TLS with the proxy failed, or its certificate is not trusted.
    case proxyTLS = "proxy_tls"
    /// The proxy sent bytes that its protocol does not allow.
    case badReply = "bad_reply"
    /// The proxy wants other credentials.
    case authentication
    /// The proxy does not serve such a request: a rule, a wrong path, a command that it does not know.
    case refused
    /// The proxy works, but the destination could not be reached from there.
    case destinationUnreachable = "destination_unreachable"
    /// The connection ended before the road was open, or in the middle of a unit of the proxy's protocol.
    case closed
    /// The destination's name leads to addresses that are not public only.
    case privateAddress = "private_address"
    /// TLS with the destination failed; never raised here, but by who adds it to an open road.
    case originTLS = "origin_tls"

    /// The value of metric labels and log fields.
    public var label: String { rawValue }

    /// Whether the rung is at fault; false where the destination is.
    ///
    /// A name that the direct road cannot resolve counts against the road: filtered name servers are one of the
    /// reasons to have other rungs.
    public var blamesRung: Bool {
        switch self {
        case .destinationUnreachable, .privateAddress, .originTLS: false
        case .unresolved, .unreachable, .timedOut, .proxyTLS, .badReply, .authentication, .refused, .closed:
            true
        }
    }
}
