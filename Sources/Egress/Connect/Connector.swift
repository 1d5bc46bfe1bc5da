public import NIOCore
public import NIOSSL

/// Opens connections by a rung.
public struct Connector: Sendable {
    private let contexts: ProxyTLSContexts

    /// A connector whose TLS to proxies is as configured, except for the protocols offered: the link decides those.
    ///
    /// Costs nothing: the trusted certificates are read with the first connection to a proxy by TLS.
    public init(proxyTLS: TLSConfiguration) {
        contexts = ProxyTLSContexts(proxyTLS)
    }

    /// Opens a connection that leads to the destination.
    ///
    /// The future succeeds once bytes can be sent. With VLESS and Shadowsocks that is as soon as the proxy, its TLS and
    /// its WebSocket are there: the proxy tells by a close without a byte that the destination cannot be reached or the
    /// credential is wrong, or it stays silent.
    ///
    /// On the direct road the name is resolved here and addresses that are not public are refused, unless
    /// ``RoadLimits/allowsPrivate``. A proxy resolves by itself: what it may lead to has to be decided by name before.
    ///
    /// - Parameters:
    ///   - configure: called on the event loop when the road is open, to add the handlers of whoever uses it. What has
    ///     arrived by then is handed to them afterwards, in order. What they write while they are added (a ClientHello)
    ///     shares a packet with the tunnel's header. They are not told `channelActive`, since the channel is.
    /// - Returns: the connection. It fails with ``RoadFault``, or with the error of `configure`.
    public func connect(
        to destination: Destination,
        by rung: Rung,
        on loop: any EventLoop,
        limits: RoadLimits = RoadLimits(),
        configure: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        guard loop.inEventLoop else {
            return loop.flatSubmit {
                connect(to: destination, by: rung, on: loop, limits: limits, configure: configure)
            }
        }
        let opening = ConnectionOpening(on: loop, limits: limits, configure: configure)
        let future = opening.begin()
        guard let link = rung.parsed else {
            opening.connect(to: destination, isDirect: true, handlers: [])
            return future
        }
        do {
            let states = try link.layers.map { layer throws(RoadFault) in try layer.state(for: destination) }
            connect(opening, link, states)
        } catch {
            opening.fail(error)
        }
        return future
    }

    private func connect(_ opening: ConnectionOpening, _ link: ParsedLink, _ states: [any TunnelState]) {
        let tunnels = states.enumerated().map { place, state in
            TunnelHandler(state, awaitsTLS: place == 0 && link.tls != nil)
        }
        guard let tls = link.tls else {
            return opening.connect(to: link.proxy, isDirect: false, handlers: tunnels)
        }
        let bound = NIOLoopBound((opening, tunnels), eventLoop: opening.loop)
        contexts.context(offering: tls.applicationProtocols, on: opening.loop).whenComplete { result in
            let (opening, tunnels) = bound.value
            do {
                let handler = try Self.handler(result.get(), serverName: tls.serverName)
                opening.connect(to: link.proxy, isDirect: false, handlers: [handler] + tunnels)
            } catch {
                opening.fail(RoadFault.proxyTLS)
            }
        }
    }

    /// TLS for one connection; where the name is an address there is no SNI, and the address is verified.
    private static func handler(_ context: NIOSSLContext, serverName: String?) throws -> NIOSSLClientHandler {
        let name = serverName.flatMap { AddressLiteral($0) == nil ? $0 : nil }
        return try NIOSSLClientHandler(context: context, serverHostname: name)
    }
}
