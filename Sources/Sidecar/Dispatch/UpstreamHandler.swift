internal import Egress
internal import NIOCore
internal import Wire

/// How an exchange with an upstream can break.
enum UpstreamFailure: Equatable {
    case connectFailed
    case connectTimedOut
    /// The system gave no socket: that says nothing about the upstream.
    case noSocket
    /// No rung of the hop led to the upstream; the last fault.
    case hopFailed(RoadFault)
    /// The connection ended before the response was complete.
    case closed(beforeFirstByte: Bool, wasReused: Bool)
    /// The response broke HTTP's framing.
    case malformed
}

/// An upstream connection: carries one request after another.
///
/// All of its state belongs to the connection's event loop, which is also that of every client it serves, so
/// it needs no lock and is not `Sendable`.
final class UpstreamHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Held: a reload may have taken it from the loop while this connection still serves.
    private let pool: UpstreamPool
    /// The road that it goes by; nil for none.
    let road: Road?
    private var context: ChannelHandlerContext?
    private var state = UpstreamState()
    /// What has arrived of a head that is not complete yet.
    private var headBytes: ByteBuffer?
    private var exchange: Exchange?
    /// What is still to be sent of a large body.
    private var restOfBody: ByteBuffer?
    private var hasServed = false
    private var isReadPending = false
    /// Whether it goes back to the pool once it is known that nothing follows the answer.
    private var isDone = false
    /// Whether what is read is what came, not what TLS or a tunnel made of it.
    private let readsSocket: Bool
    /// Whether the newest read filled its buffer, so that more may have been there.
    private var isReadFull = false
    /// Whether the connection ended by an error: a reset, or TLS without its proper end.
    private var hasBroken = false
    /// When the connection was put back; for the pool's idle limit.
    var idleSince = NIODeadline.distantPast

    init(pool: UpstreamPool, road: Road? = nil) {
        self.pool = pool
        self.road = road
        readsSocket = !pool.url.isTLS && road == nil
    }

    /// Both kept from the channel's events: asking it costs more than everything else in the question.
    private(set) var isActive = true
    private(set) var isWritable = true

    // MARK: - What the exchange asks for

    /// Sends a request and takes the exchange on until its response is complete.
    func send(_ head: ByteBuffer, body: ByteBuffer?, for exchange: Exchange) {
        guard let context else { return exchange.upstreamFailed(.connectFailed) }
        self.exchange = exchange
        state.sent(isHEAD: exchange.isHEAD, isUpgrade: exchange.head.isUpgrade)
        context.write(wrapOutboundOut(head), promise: nil)
        if let body, body.readableBytes >= Self.leastInPieces {
            restOfBody = body
            writePiece(to: context)
        } else {
            if let body { context.write(wrapOutboundOut(body), promise: nil) }
            context.flush()
        }
        resumeReading()
    }

    /// Writes a large body piece by piece, one in a turn of the event loop: the system would take megabytes at once,
    /// and copy them while the loop's other clients wait.
    private func writePiece(to context: ChannelHandlerContext) {
        guard var rest = restOfBody.take(),
            let piece = rest.readSlice(length: min(Self.pieceBytes, rest.readableBytes))
        else { return }
        guard rest.readableBytes > 0 else {
            return context.writeAndFlush(wrapOutboundOut(piece), promise: nil)
        }
        restOfBody = rest
        context.writeAndFlush(wrapOutboundOut(piece)).assumeIsolated().whenSuccess {
            self.pool.loop.nextTurn.run {
                if let context = self.context { self.writePiece(to: context) }
            }
        }
    }

    /// Each piece costs some 40 µs besides: smaller bodies would notice.
    private static let leastInPieces = 8 << 20
    private static let pieceBytes = 1 << 20

    /// Sends more of a request body, or bytes of an upgraded connection.
    func write(_ bytes: ByteBuffer) {
        context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    /// Passes on that the client of an upgraded connection will send no more.
    func closeOutput() {
        context?.close(mode: .output, promise: nil)
    }

    /// Gives the exchange up: what is still to come on this connection is of no use.
    func abandon() {
        exchange = nil
        restOfBody = nil
        context?.close(promise: nil)
    }

    /// Goes back to the pool unused.
    func release() {
        pool.putBack(self)
    }

    /// Reads on after the client has taken what it was sent.
    func resumeReading() {
        guard isReadPending else { return }
        isReadPending = false
        context?.read()
    }

    // MARK: - What the channel says

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func read(context: ChannelHandlerContext) {
        if let exchange, !exchange.takesMore { isReadPending = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable { exchange?.upstreamBecameWritable() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        exchange?.upstreamReadCompleted()
        guard isDone else { return }
        isDone = false
        // What may lie behind a full read cannot be told from the next answer.
        if isReadFull { abandon() } else if isActive { pool.putBack(self) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Whatever it was, the end of the connection follows, and there it is told apart.
        hasBroken = true
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isActive = false
        restOfBody = nil
        pool.connectionClosed(self)
        guard let exchange else {
            road?.wasAbandoned()
            return
        }
        self.exchange = nil
        if !hasBroken, state.closed() {
            exchange.responseEnded()
        } else if case .tunnel = state.phase {
            exchange.responseEnded()
        } else {
            exchange.upstreamFailed(.closed(beforeFirstByte: !state.hasAnswered, wasReused: hasServed))
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        road?.worked()
        guard let exchange else {
            isDone = false
            return context.close(promise: nil)
        }
        isReadFull = readsSocket && bytes.writableBytes == 0
        if case .head = state.phase {
            guard readHead(&bytes, for: exchange, context: context) else { return }
        }
        switch state.phase {
        case .idle: finish(leftOver: bytes.readableBytes, context: context)
        case .body where bytes.readableBytes > 0: readBody(bytes, for: exchange, context: context)
        case .tunnel where bytes.readableBytes > 0: exchange.tunnelReceived(bytes)
        case .body, .tunnel, .head: break
        }
    }

    /// Reads heads until the final one.
    ///
    /// - Returns: whether it was found and told to the exchange, with the first bytes of the body left in `bytes`.
    private func readHead(
        _ bytes: inout ByteBuffer,
        for exchange: Exchange,
        context: ChannelHandlerContext
    ) -> Bool {
        if var earlier = headBytes.take() {
            earlier.writeBuffer(&bytes)
            bytes = earlier
        }
        while true {
            switch bytes.withUnsafeReadableBytes({ state.received(head: $0) }) {
            case .incomplete:
                headBytes = bytes
                return false
            case .interim(let byteCount):
                bytes.moveReaderIndex(forwardBy: byteCount)
            case .malformed:
                fail(.malformed, exchange, context: context)
                return false
            case .final(let head) where head.status == 101 && restOfBody != nil:
                // The tunnel's bytes would come before the rest of the body.
                fail(.malformed, exchange, context: context)
                return false
            case .final(let head):
                let raw = bytes.readSlice(length: head.byteCount) ?? ByteBuffer()
                exchange.responseStarted(head, raw)
                return self.exchange != nil
            }
        }
    }

    private func readBody(_ bytes: ByteBuffer, for exchange: Exchange, context: ChannelHandlerContext) {
        let progress = bytes.withUnsafeReadableBytes { raw in
            exchange.readPayload { state.received(body: raw, onData: $0) }
        }
        let lastChunkEnd = state.lastChunkEnd
        switch progress {
        case .malformed:
            fail(.malformed, exchange, context: context)
        case .more:
            exchange.responseReceived(bytes, lastChunkEnd: lastChunkEnd)
        case .ended(let end):
            let slice = bytes.getSlice(at: bytes.readerIndex, length: end) ?? bytes
            exchange.responseReceived(slice, lastChunkEnd: lastChunkEnd)
            guard self.exchange != nil else { return }
            finish(leftOver: bytes.readableBytes - end, context: context)
        }
    }

    /// Ends the exchange and keeps the connection, unless it says otherwise or holds bytes that nobody asked for.
    private func finish(leftOver: Int, context: ChannelHandlerContext) {
        guard let exchange = exchange.take() else { return }
        hasServed = true
        if state.keepsAlive, leftOver == 0, isActive, exchange.requestIsSent, restOfBody == nil {
            // Not before the read is over: the next request would get what is still in it for its answer.
            isDone = true
        } else {
            context.close(promise: nil)
        }
        exchange.responseEnded()
        resumeReading()
    }

    private func fail(_ failure: UpstreamFailure, _ exchange: Exchange, context: ChannelHandlerContext) {
        self.exchange = nil
        context.close(promise: nil)
        exchange.upstreamFailed(failure)
    }
}

@available(*, unavailable)
extension UpstreamHandler: Sendable {}
