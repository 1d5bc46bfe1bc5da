internal import Egress
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// The connections of one event loop to one address, by one way.
///
/// Kept over a reload; one whose address is not in the configuration any more ends with its last request. The newest idle connection is used first, so that the others grow old and go.
final class UpstreamPool {
    /// Shorter than the 75 s of nginx; a connection that the upstream closed meanwhile costs one quiet retry.
    private static let idleLimit = TimeAmount.seconds(60)
    /// How long a connection may have been idle to be trusted with a body that cannot be sent again.
    private static let freshLimit = TimeAmount.seconds(2)

    /// What connections have in common: one may carry a request that another could have carried.
    struct Key: Hashable {
        let url: UpstreamURL
        /// The hop by which they lead there; nil for none.
        let hop: String?
        /// Whether they may end at a private address where the sidecar itself resolves the name.
        let allowsPrivate: Bool

        init(_ upstream: Upstream) {
            url = upstream.url
            hop = upstream.hop
            allowsPrivate = upstream.allowsPrivate
        }
    }

    let key: Key
    var url: UpstreamURL { key.url }
    unowned let loop: LoopContext
    private var idle: [UpstreamHandler] = []
    /// Connections that are being opened.
    private var openingCount = 0
    /// Connections of every kind, for the gauge.
    private(set) var connectionCount = 0

    private var isRetired = false

    init(_ key: Key, loop: LoopContext) {
        self.key = key
        self.loop = loop
    }

    /// Takes an idle connection.
    ///
    /// - Parameter canRepeat: whether the request could be sent again if the connection turns out to be dead.
    func take(canRepeat: Bool) -> UpstreamHandler? {
        let now = loop.coarseNow
        while let connection = idle.popLast() {
            let isFresh = canRepeat || now - connection.idleSince < Self.freshLimit
            if connection.isActive, isFresh { return connection }
            connection.abandon()
        }
        return nil
    }

    func putBack(_ connection: UpstreamHandler) {
        if isRetired { return connection.abandon() }
        connection.idleSince = loop.coarseNow
        idle.append(connection)
    }

    func connectionClosed(_ connection: UpstreamHandler) {
        connectionCount -= 1
        idle.removeAll { $0 === connection }
    }

    /// Closes connections that have been idle for too long.
    func sweep(now: NIODeadline) {
        while let oldest = idle.first, now - oldest.idleSince > Self.idleLimit {
            idle.removeFirst()
            oldest.abandon()
        }
    }

    /// Whether it holds nothing, so that a new one would be as good.
    var isEmpty: Bool { connectionCount == 0 && openingCount == 0 }

    /// Closes the idle connections that lead there by a rung.
    func leave(_ rung: Rung) {
        leave { $0 == rung }
    }

    /// Closes the idle connections that lead there by any rung but these.
    func leave(allBut rungs: [Rung]) {
        leave { !rungs.contains($0) }
    }

    private func leave(where isLeft: (Rung) -> Bool) {
        let left = idle.filter { $0.road.map { isLeft($0.rung) } ?? false }
        // Closing takes a while, in which none of them may be taken.
        idle.removeAll { connection in left.contains { $0 === connection } }
        for connection in left { connection.abandon() }
    }

    /// Keeps no connection any more.
    func retire() {
        isRetired = true
        let connections = idle
        idle = []
        for connection in connections { connection.abandon() }
    }

    /// Opens a connection and tells the exchange that waits for it, if it still does.
    ///
    /// - Parameters:
    ///   - timeout: of a connection without a hop, whose rungs have limits of their own.
    ///   - tried: rungs of the hop that are known not to lead there.
    func connect(for awaited: AwaitedConnection, timeout: TimeAmount, after tried: [Rung] = []) {
        guard let name = key.hop else { return connect(for: awaited, timeout: timeout) }
        openingCount += 1
        guard let hop = loop.shared.hops[name] else {
            return climbEnded(.failure(.unreachable), for: awaited)
        }
        let climb = Climb(
            hop,
            to: Climb.Goal(
                destination: Destination(host: url.host, port: url.port),
                isTLS: url.isTLS,
                allowsPrivate: key.allowsPrivate,
                keepsHalfOpen: false
            ),
            after: tried,
            loop: loop,
            settings: loop.snapshot.configuration.egress,
            configure: { channel, road in
                try channel.pipeline.syncOperations.addHandler(UpstreamHandler(pool: self, road: road))
            },
            ended: { self.climbEnded($0, for: awaited) }
        )
        climb.trace = awaited.exchange?.record.trace
        climb.next()
    }

    private func climbEnded(
        _ result: Result<(any Channel, Road), RoadFault>,
        for awaited: AwaitedConnection
    ) {
        openingCount -= 1
        switch result {
        case .success(let (channel, _)): connectFinished(.success(channel), for: awaited)
        case .failure(let fault): awaited.exchange.take()?.upstreamFailed(.hopFailed(fault))
        }
    }

    private func connect(for awaited: AwaitedConnection, timeout: TimeAmount) {
        let bound = NIOLoopBound((self, awaited), eventLoop: loop.eventLoop)
        let tls = url.isTLS ? loop.shared.tls : nil
        let host = url.host
        ClientBootstrap(group: loop.eventLoop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: Buffers.ofAnswers.allocator)
            .channelOption(.maxMessagesPerRead, value: Buffers.ofAnswers.messages)
            .channelOption(.allowRemoteHalfClosure, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (pool, _) = bound.value
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(tls.handler(for: host))
                    }
                    try channel.pipeline.syncOperations.addHandler(UpstreamHandler(pool: pool))
                }
            }
            .connect(host: host, port: url.port)
            .assumeIsolated()
            .whenComplete { result in
                let (pool, awaited) = bound.value
                pool.connectFinished(result, for: awaited)
            }
    }

    private func connectFinished(_ result: Result<any Channel, any Error>, for awaited: AwaitedConnection) {
        let exchange = awaited.exchange.take()
        switch result {
        case .success(let channel):
            connectionCount += 1
            guard let handler = try? channel.pipeline.syncOperations.handler(type: UpstreamHandler.self)
            else {
                exchange?.upstreamFailed(.connectFailed)
                return
            }
            if let exchange { exchange.upstreamConnected(handler) } else { handler.release() }
        case .failure(let error):
            if case ChannelError.connectTimeout = error {
                exchange?.upstreamFailed(.connectTimedOut)
            } else if error.tellsOfNoSocket {
                exchange?.upstreamFailed(.noSocket)
            } else {
                exchange?.upstreamFailed(.connectFailed)
            }
        }
    }
}

@available(*, unavailable)
extension UpstreamPool: Sendable {}

/// How sockets are read.
///
/// Measured on loopback: 256 KiB and 16 reads a wake-up save a tenth of the CPU of 200 KB bodies against 64 KiB. Of
/// large bodies, of which many may come at once, and of answers less is read at a time: a wake-up of the loop reads
/// from each connection that is ready, and its other clients wait meanwhile.
enum Buffers {
    static let ofRequests = Reading(atMost: 262_144, times: 16)
    static let ofLargeBodies = Reading(atMost: 65_536, times: 1)
    static let ofAnswers = Reading(atMost: 65_536, times: 1)
    /// Bytes that only pass, a TLS record or a proxy's chunk at a time at least.
    static let ofTunnels = Reading(atMost: 262_144, times: 2)
    /// Of the admin listener.
    static let ofQuestions = Reading(atMost: 65_536, times: 1)

    /// How much is read from a connection in one wake-up of its loop.
    struct Reading {
        let allocator: AdaptiveRecvByteBufferAllocator
        let messages: UInt

        fileprivate init(atMost byteCount: Int, times messages: UInt) {
            allocator = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: byteCount)
            self.messages = messages
        }
    }
}
