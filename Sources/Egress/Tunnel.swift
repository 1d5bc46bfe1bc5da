/// The kinds of proxies that a link can name.
enum Tunnel {
    /// One kind: the schemes of its links and how they are read.
    struct Kind: Sendable {
        let schemes: [String]
        /// Reads a link of one of these schemes, without white space around it.
        let parse: @Sendable (String) throws(LinkProblem) -> ParsedLink
    }

    /// Every kind there is.
    ///
    /// A new one is a folder beside this file and a line here.
    static let kinds: [Kind] = [
        Kind(schemes: ["socks5", "socks5h"], parse: SOCKS5Link.parse),
        Kind(schemes: ["http"], parse: HTTPConnectLink.parse),
        Kind(schemes: ["vless"], parse: VLESSLink.parse),
        Kind(schemes: ["ss"], parse: ShadowsocksLink.parse),
    ]
}

/// A proxy and how to speak to it, as its link says.
struct ParsedLink: Sendable {
    /// The proxy itself.
    var proxy: Destination
    /// Names what is spoken, for labels: `vless+ws+tls`.
    var label: String
    /// TLS with the proxy, below the layers.
    var tls: ProxyTLS?
    /// What is spoken on the connection, the lowest first.
    var layers: [any TunnelLayer]
}

/// What a link says about TLS with the proxy.
struct ProxyTLS: Hashable, Sendable {
    /// Sent as SNI and verified; nil for the address of the proxy.
    var serverName: String?
    /// The protocols to offer, the preferred first.
    var applicationProtocols: [String] = []
}

/// A protocol with its credentials: makes the state of each connection.
protocol TunnelLayer: Sendable {
    /// The state of one connection that shall lead to the destination.
    ///
    /// - Throws: ``RoadFault/refused`` where the protocol has no way to write such a destination.
    func state(for destination: Destination) throws(RoadFault) -> any TunnelState
}
