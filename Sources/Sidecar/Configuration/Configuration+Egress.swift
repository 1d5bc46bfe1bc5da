internal import Egress

/// By which proxies what is reached.
struct EgressSettings: Equatable, Sendable {
    /// The rungs of each hop, by its name; never empty, and no rung twice.
    var hops: [String: [Rung]] = [:]
    /// The first rule that matches decides.
    var forward: [ForwardRule] = []
    var connect = Duration.seconds(5)
    var firstByte = Duration.seconds(5)
    var idle = Duration.seconds(3600)
    /// Nil for never.
    var probe: Duration?

    /// How a host is reached, if anybody may ask for it.
    ///
    /// A host that is an address, in whatever spelling, is one; a private one is served only where the same is
    /// written out.
    func route(to host: String, port: Int) -> ForwardRoute? {
        guard let host = ForwardHost.normal(host) else { return nil }
        let isPrivate = AddressRule.isPrivate(literal: host) == true
        for rule in forward {
            let serves = rule.hosts.contains { $0.matches(host, port: port) && (!isPrivate || $0.isLiteral) }
            guard serves else { continue }
            return ForwardRoute(
                destination: Destination(host: host, port: port),
                hop: rule.hop,
                allowsPrivate: isPrivate
            )
        }
        return nil
    }
}

/// Hosts that the egress listener serves, and their hop.
struct ForwardRule: Equatable, Sendable {
    var hosts: [ForwardHost]
    var hop: String
}

/// Where a forwarded connection leads.
struct ForwardRoute: Equatable, Sendable {
    let destination: Destination
    let hop: String
    /// Whether it may end at a private address.
    let allowsPrivate: Bool
}

/// The listener for LiteLLM's way out.
struct EgressListener: Equatable, Sendable {
    var address: ListenAddress
    /// `user:password`, a secret; nil where nobody is asked.
    var credentials: String?
}
