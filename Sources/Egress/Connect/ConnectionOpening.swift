internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// One attempt to open a road, with its time limit.
///
/// All of its state belongs to its event loop, so it needs no lock and is not `Sendable`.
final class ConnectionOpening {
    let loop: any EventLoop
    private let limits: RoadLimits
    private let promise: EventLoopPromise<any Channel>
    private var timer: Scheduled<Void>?
    private var isOver = false
    /// The connection, as long as it is this that would have to close it.
    private var channel: (any Channel)?
    let configure: @Sendable (any Channel) -> EventLoopFuture<Void>

    init(
        on loop: any EventLoop,
        limits: RoadLimits,
        configure: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) {
        self.loop = loop
        self.limits = limits
        self.configure = configure
        promise = loop.makePromise()
    }

    /// Starts the clock.
    func begin() -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let time = TimeAmount.nanoseconds(Int64(min(max(limits.connectSeconds, 0), 86_400) * 1e9))
        timer = loop.scheduleTask(in: time) { bound.value.fail(RoadFault.timedOut) }
        return promise.futureResult
    }

    /// Connects to a name or address and adds the handlers of the road.
    func connect(to target: Destination, isDirect: Bool, handlers: [any ChannelHandler]) {
        let bound = NIOLoopBound((self, handlers), eventLoop: loop)
        let resolver = AddressResolver(on: loop, allowsPrivate: !isDirect || limits.allowsPrivate)
        tcp(resolver, to: target, isDirect: isDirect).hop(to: loop).whenComplete { result in
            let (opening, handlers) = bound.value
            switch result {
            case .success(let channel): opening.connected(channel, handlers)
            case .failure(let error):
                let fault = Self.connectFault(error)
                // What was refused is the reason only where it left nothing to try.
                opening.fail(fault as? RoadFault == .unresolved ? resolver.fault ?? fault : fault)
            }
        }
    }

    private func tcp(
        _ resolver: AddressResolver,
        to target: Destination,
        isDirect: Bool
    ) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(Int64(min(max(limits.connectSeconds, 0.001), 86_400) * 1e9)))
            .channelOption(.tcpOption(.tcp_nodelay), value: limits.tcpNoDelay ? 1 : 0)
            .channelOption(.recvAllocator, value: limits.receiveAllocator)
            .channelOption(.maxMessagesPerRead, value: limits.messagesPerRead)
            .channelOption(.allowRemoteHalfClosure, value: limits.allowsHalfClosure)
            .resolver(resolver)
        if AddressLiteral(target.host) != nil,
            let address = try? SocketAddress(ipAddress: target.host, port: target.port)
        {
            // No thread has to be asked for what is known.
            guard resolver.admits(address) else { return loop.makeFailedFuture(RoadFault.privateAddress) }
            return bootstrap.connect(to: address)
        }
        return bootstrap.connect(host: target.host, port: target.port)
    }

    /// Adds the handlers and lets the first begin.
    ///
    /// Not in the bootstrap's initializer: where a name has several addresses, that runs for connections that lose the
    /// race too.
    private func connected(_ channel: any Channel, _ handlers: [any ChannelHandler]) {
        guard !isOver else { return channel.close(promise: nil) }
        self.channel = channel
        do {
            try channel.pipeline.syncOperations.addHandlers(handlers + [RoadEndHandler(self)])
        } catch {
            return fail(error)
        }
        // The channel is active already, and tells handlers that are added now only perhaps.
        channel.pipeline.syncOperations.fireChannelActive()
    }

    func succeed(_ channel: any Channel) {
        guard finish() else { return }
        self.channel = nil
        promise.succeed(channel)
    }

    func fail(_ error: any Error) {
        guard finish() else { return }
        promise.fail(Self.fault(error))
        channel?.close(promise: nil)
        channel = nil
    }

    private func finish() -> Bool {
        guard !isOver else { return false }
        isOver = true
        timer?.cancel()
        return true
    }

    /// What an error on an open connection means for the road.
    private static func fault(_ error: any Error) -> any Error {
        switch error {
        case is RoadFault: error
        // TLS was there; its end was not announced.
        case NIOSSLError.uncleanShutdown: RoadFault.closed
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: RoadFault.proxyTLS
        case is IOError, is ChannelError: RoadFault.closed
        // Of who configures the road, and so theirs to understand.
        default: error
        }
    }

    /// What an error before there was a connection means.
    private static func connectFault(_ error: any Error) -> any Error {
        switch error {
        case let error as NIOConnectionError:
            if error.connectionErrors.isEmpty { return RoadFault.unresolved }
            return error.connectionErrors.allSatisfy { isTimeout($0.error) }
                ? RoadFault.timedOut : .unreachable
        case is RoadFault: return error
        default: return isTimeout(error) ? RoadFault.timedOut : RoadFault.unreachable
        }
    }

    private static func isTimeout(_ error: any Error) -> Bool {
        if case ChannelError.connectTimeout = error { return true }
        return false
    }
}

@available(*, unavailable)
extension ConnectionOpening: Sendable {}
