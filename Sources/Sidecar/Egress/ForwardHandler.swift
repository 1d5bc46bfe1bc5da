internal import Egress
internal import NIOCore
internal import Wire

/// A connection to the egress listener.
///
/// Its first bytes tell what the client speaks: SOCKS5 and CONNECT are asked where to, and become a connection by
/// the hop of that host; everything else is a request on the reverse path, and goes to a ``ClientHandler``.
///
///     sniffing ─┬─> socks ───┬─> opening ──road is open──> waiting ──first byte──> relaying ──> lingering
///               ├─> connect ─┘      ^                        │
///               │                   └──no byte in time, EOF──┘
///               └─> (handed over)
///
/// All of its state belongs to the connection's event loop, so it needs no lock and is not `Sendable`.
final class ForwardHandler: ChannelDuplexHandler, RemovableChannelHandler, ClientConnection {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        case sniffing
        case socks(SOCKSServerState)
        case connect(HeadFinder)
        /// A road is being opened.
        case opening
        /// A road is open, and nothing has come back by it.
        case waiting
        case relaying
        /// The client is to read what it was told.
        case lingering
    }

    let loop: LoopContext
    let listener: ListenerIdentity
    /// `user:password`; nil where nobody is asked.
    let credentials: String?
    var context: ChannelHandlerContext?
    var phase = Phase.sniffing
    var input = ByteBuffer()
    var first = FirstBytes()
    var record = ForwardRecord()
    var climb: Climb?
    var road: RoadHandler?
    /// Whether the client was told that its connection is there.
    var hasAnnounced = false
    var hasInputClosed = false
    /// Whether the connection ended by an error, so that nothing of it is worth anything.
    private var hasBroken = false
    var deadline: NIODeadline
    /// When something must have come back by the road.
    var answerDeadline = NIODeadline.distantFuture
    /// Whether the client has ended and the destination cannot be told.
    var isWindingDown = false
    private var wasTouched = false
    private var isReadPending = false
    private var isHandedOver = false

    /// Kept from the channel's events: asking it costs more than everything else in the question.
    private(set) var isWritable = true

    init(loop: LoopContext, listener: ListenerIdentity, credentials: String?) {
        self.loop = loop
        self.listener = listener
        self.credentials = credentials
        deadline = loop.coarseNow + ClientHandler.Limit.idle
    }

    // MARK: - What the channel says

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        loop.opened(self)
        let limit = loop.snapshot.configuration.limits.maxConnections
        if loop.shared.connections.increment() > limit { refuse(.tooManyConnections(limit: limit)) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        addSpans()
        record.faults = climb?.faults.map { ($0.rung.label, $0.fault.label) } ?? []
        climb.take()?.cancel()
        if let road = road.take() {
            road.road.wasAbandoned()
            if hasBroken { road.abandon() } else { road.finish() }
        }
        observe()
        // While the connection is handed over, another handler stands behind this one.
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        hasBroken = true
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable { road?.resumeReading() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { inputClosed() }
        context.fireUserInboundEventTriggered(event)
    }

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadPending = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        wasTouched = true
        switch phase {
        case .relaying:
            record.bytesIn += bytes.readableBytes
            road?.write(bytes)
        case .waiting:
            sendFirst(bytes)
        case .opening:
            record.bytesIn += bytes.readableBytes
            first.hold(bytes)
        case .sniffing, .socks, .connect:
            if input.readableBytes == 0 { deadline = loop.coarseNow + ClientHandler.Limit.head }
            input.writeBuffer(&bytes)
            advance()
        case .lingering:
            break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        road?.flush()
        context.fireChannelReadComplete()
    }

    // MARK: - Reading

    private var mayRead: Bool {
        switch phase {
        case .sniffing, .socks, .connect, .lingering: true
        case .opening: first.hasRoom
        case .waiting, .relaying: road?.isWritable ?? true
        }
    }

    /// Reads on after the road has room again.
    func resumeReading() {
        guard isReadPending, mayRead else { return }
        isReadPending = false
        context?.read()
    }

    private func advance() {
        if case .sniffing = phase { sniff() }
        switch phase {
        case .socks(let state): readSOCKS(state)
        case .connect(let finder): readConnect(finder)
        case .sniffing, .opening, .waiting, .relaying, .lingering: break
        }
    }

    private func sniff() {
        guard let byte = input.getInteger(at: input.readerIndex, as: UInt8.self) else { return }
        if byte == 5 {
            record.kind = .socks5
            phase = .socks(SOCKSServerState(credentials: credentials))
            return
        }
        let prefix = ConnectHead.prefix
        let count = min(prefix.utf8CodeUnitCount, input.readableBytes)
        let expected = UnsafeRawBufferPointer(start: prefix.utf8Start, count: count)
        guard input.withUnsafeReadableBytes({ $0.prefix(count).elementsEqual(expected) }) else {
            return handOver()
        }
        guard count == prefix.utf8CodeUnitCount else { return }
        record.kind = .connect
        phase = .connect(HeadFinder())
    }

    /// Lets a ``ClientHandler`` go on with what was received.
    private func handOver() {
        guard let context else { return }
        leave()
        let client = ClientHandler(loop: loop, listener: listener)
        do {
            try context.pipeline.syncOperations.addHandler(client, position: .after(self))
        } catch {
            return context.close(promise: nil)
        }
        context.fireChannelActive()
        context.fireChannelRead(wrapInboundOut(input))
        if hasInputClosed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        input = ByteBuffer()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    private func inputClosed() {
        hasInputClosed = true
        switch phase {
        case .sniffing, .socks, .connect, .lingering: close()
        case .waiting, .relaying: road?.closeOutput()
        case .opening: break
        }
    }

    // MARK: - The end

    /// The listener's books have this connection no more.
    private func leave() {
        guard !isHandedOver else { return }
        isHandedOver = true
        loop.shared.connections.decrement()
        loop.closed(self)
    }

    func close() {
        context?.close(promise: nil)
    }

    func drain() {
        if case .sniffing = phase, input.readableBytes == 0 { close() }
    }

    func tick(now: NIODeadline) {
        if case .waiting = phase, now >= answerDeadline { return roadFailed(by: .timedOut) }
        if wasTouched {
            wasTouched = false
            if isForwarding { deadline = now + idleLimit }
        }
        guard now >= deadline else { return }
        if isForwarding, !isWindingDown { record.error = "idle" }
        close()
    }

    /// How long no byte may pass.
    private var idleLimit: TimeAmount {
        isWindingDown ? .seconds(5) : TimeAmount(loop.snapshot.configuration.egress.idle)
    }

    /// Whether bytes pass; a road that is being opened has limits of its own.
    private var isForwarding: Bool {
        switch phase {
        case .opening, .waiting, .relaying: true
        case .sniffing, .socks, .connect, .lingering: false
        }
    }

    /// Notes that bytes have passed.
    func touch() {
        wasTouched = true
    }

    private func observe() {
        guard record.kind != nil else { return }
        guard loop.snapshot.configuration.log.level.admits(record.error == nil ? .info : .warning) else {
            return
        }
        let ended = NIODeadline.now()
        loop.log.append { record.appendLine(to: &$0, ended: ended) }
    }
}

@available(*, unavailable)
extension ForwardHandler: Sendable {}
