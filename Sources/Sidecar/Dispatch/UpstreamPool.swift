internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// The connections of one event loop to one address.
///
/// Kept over a reload; one whose address is not in the configuration any more ends with its last request. The newest idle connection is used first, so that the others grow old and go.
final class UpstreamPool {
    /// Shorter than the 75 s of nginx; a connection that the upstream closed meanwhile costs one quiet retry.
    private static let idleLimit = TimeAmount.seconds(60)
    /// How long a connection may have been idle to be trusted with a body that cannot be sent again.
    private static let freshLimit = TimeAmount.seconds(2)

    let url: UpstreamURL
    private unowned let loop: LoopContext
    private var idle: [UpstreamHandler] = []
    /// Connections of every kind, for the gauge.
    private(set) var connectionCount = 0

    private var isRetired = false

    init(url: UpstreamURL, loop: LoopContext) {
        self.url = url
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

    /// Keeps no connection any more.
    func retire() {
        isRetired = true
        let connections = idle
        idle = []
        for connection in connections { connection.abandon() }
    }

    /// Opens a connection and tells the exchange that waits for it, if it still does.
    func connect(for awaited: AwaitedConnection, timeout: TimeAmount) {
        let bound = NIOLoopBound((self, awaited), eventLoop: loop.eventLoop)
        let tls = url.isTLS ? loop.shared.tls : nil
        let host = url.host
        ClientBootstrap(group: loop.eventLoop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
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
    static let ofLargeBodies = Reading(atMost: 65_536, times: 2)
    static let ofAnswers = Reading(atMost: 65_536, times: 1)

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
