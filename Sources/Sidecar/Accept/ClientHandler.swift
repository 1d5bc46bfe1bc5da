internal import NIOCore
internal import Wire

/// A client connection: reads one request after another and hands each to an ``Exchange``.
///
/// All of its state belongs to the connection's event loop, so it needs no lock and is not `Sendable`.
///
///     head --complete--> body --complete--> responding --answered--> head
///       \ bad                \ bad               \--101--> tunnel
///        `--------------------`--> lingering (the answer is out; input is dropped until the client has read it)
final class ClientHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        case head
        case body(BodyReader)
        case responding
        case tunnel
        case lingering(isFlushed: Bool)
    }

    /// How long a connection may keep the sidecar waiting.
    enum Limit {
        static let head = TimeAmount.seconds(10)
        static let stalledBody = TimeAmount.seconds(60)
        static let idle = TimeAmount.seconds(300)
        /// For the rest of an answer to leave, and then for the client to read it.
        static let flush = TimeAmount.seconds(60)
        static let linger = TimeAmount.seconds(2)
        static let fullBuffers = TimeAmount.seconds(10)
        /// Bytes of later requests that are read while one is being answered.
        static let pipelinedBytes = 65_536
    }

    let loop: LoopContext
    let listener: ListenerIdentity
    /// The client's address, as it goes into `X-Forwarded-For`.
    private(set) var address = ""
    var context: ChannelHandlerContext?
    var phase = Phase.head
    private var heads = HeadReader()
    private var isTimingHead = false
    var input = ByteBuffer()
    var exchange: Exchange?
    var deadline: NIODeadline
    var isReadPending = false
    private var isAdvancing = false
    var hasInputClosed = false
    /// When the work on what the client sent last began.
    private(set) var readBegan: NIODeadline
    /// Since when a body waits for others to leave the buffers.
    var isStarvedSince: NIODeadline?

    init(loop: LoopContext, listener: ListenerIdentity) {
        self.loop = loop
        self.listener = listener
        deadline = loop.coarseNow + Limit.idle
        readBegan = loop.coarseNow
    }

    /// Kept from the channel's events: asking it costs more than everything else in the question.
    private(set) var isWritable = true

    // MARK: - What the channel says

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        address = context.remoteAddress?.ipAddress ?? "unknown"
    }

    func channelActive(context: ChannelHandlerContext) {
        loop.opened(self)
        let limit = loop.snapshot.configuration.limits.maxConnections
        if loop.shared.connections.increment() > limit { refuse(.tooManyConnections(limit: limit)) }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        loop.shared.connections.decrement()
        loop.closed(self)
        self.context = nil
        exchange.take()?.clientLeft()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable { exchange?.clientBecameWritable() }
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
        switch phase {
        case .lingering:
            return
        case .tunnel:
            exchange?.tunnelSent(bytes)
        case .head, .body, .responding:
            readBegan = .now()
            if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
            advance()
            // The rest of the time that the body takes is the client's.
            if case .body = phase {
                exchange?.record.accepted(in: (NIODeadline.now() - readBegan).nanoseconds)
            }
        }
    }

    // MARK: - Reading requests

    private var mayRead: Bool {
        switch phase {
        case .head, .lingering: true
        case .body: isStarvedSince == nil && (exchange?.takesMoreBody ?? true)
        case .responding: input.readableBytes < Limit.pipelinedBytes
        case .tunnel: exchange?.takesMoreBody ?? true
        }
    }

    /// Reads on after the upstream, or the buffers, have room again.
    func resumeReading() {
        guard isReadPending, mayRead else { return }
        isReadPending = false
        if case .body = phase { deadline = loop.coarseNow + Limit.stalledBody }
        context?.read()
    }

    /// Reads as far as the input goes.
    ///
    /// An exchange can end while this runs (an answer that needs no upstream), so that it must not start anew.
    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        var goesOn = true
        while goesOn {
            switch phase {
            case .head: goesOn = readHead()
            case .body(let reader): goesOn = readBody(reader)
            case .responding, .tunnel, .lingering: goesOn = false
            }
        }
        // An empty slice would keep the whole receive buffer alive.
        if input.readableBytes == 0 { input = ByteBuffer() }
        if hasInputClosed { endOfInput() }
    }

    /// Reads a head, if it is complete.
    private func readHead() -> Bool {
        switch heads.read(&input, maxBytes: loop.snapshot.configuration.limits.maxHeaderBytes) {
        case .incomplete:
            startHeadClock()
            return false
        case .refused(let error):
            refuse(error)
            return false
        case .head(let head, let bytes):
            isTimingHead = false
            return start(head, bytes)
        }
    }

    /// A head has its time from its first byte on, however many it comes in.
    private func startHeadClock() {
        guard input.readableBytes > 0, !isTimingHead else { return }
        isTimingHead = true
        deadline = loop.coarseNow + Limit.head
    }

    private func start(_ head: RequestHead, _ bytes: ByteBuffer) -> Bool {
        let exchange = Exchange(client: self, head: head, headBytes: bytes)
        self.exchange = exchange
        if let reader = BodyReader(head.framing) {
            phase = .body(reader)
            deadline = loop.coarseNow + Limit.stalledBody
            exchange.accepted()
            guard isCarrying(exchange) else { return true }
            if head.expectsContinue, input.readableBytes == 0 { writeContinue() }
        } else {
            phase = .responding
            exchange.accepted()
            guard isCarrying(exchange) else { return true }
            exchange.bodyEnded()
        }
        return true
    }

    private func isCarrying(_ exchange: Exchange) -> Bool {
        self.exchange === exchange
    }

    private func readBody(_ reader: BodyReader) -> Bool {
        guard input.readableBytes > 0, let exchange else { return false }
        var reader = reader
        let (byteCount, progress) = input.withUnsafeReadableBytes { raw in
            reader.read(raw) { exchange.collect($0) }
        }
        deadline = loop.coarseNow + Limit.stalledBody
        phase = .body(reader)
        if progress == .malformed {
            refuse(.badRequest("broken chunked coding"))
            return false
        }
        if byteCount > 0, let slice = input.readSlice(length: byteCount) { exchange.bodyReceived(slice) }
        guard isCarrying(exchange) else { return true }
        guard progress == .ended else { return false }
        isStarvedSince = nil
        phase = .responding
        exchange.bodyEnded()
        return true
    }

    /// How many buffers are read before others of the event loop have their turn.
    func reads(as reading: Buffers.Reading) {
        guard let options = context?.channel.syncOptions else { return }
        try? options.setOption(.maxMessagesPerRead, value: reading.messages)
        try? options.setOption(.recvAllocator, value: reading.allocator)
    }

    /// Stops reading a body until others have left the buffers.
    func buffersAreFull() {
        if isStarvedSince == nil { isStarvedSince = loop.coarseNow }
    }

    // MARK: - Writing

    func write(_ bytes: ByteBuffer) {
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    /// Writes at once and says when the system has taken it.
    func write(_ bytes: ByteBuffer, whenTaken: @escaping () -> Void) {
        context?.writeAndFlush(wrapOutboundOut(bytes)).assumeIsolated().whenSuccess { whenTaken() }
    }

    func flush() {
        context?.flush()
    }

    func writeContinue() {
        write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
        flush()
    }

    /// The answer is complete.
    ///
    /// - Parameter keepsAlive: whether the head of the answer left the connection open.
    func exchangeEnded(keepsAlive: Bool) {
        exchange = nil
        guard keepsAlive, case .responding = phase, !loop.closesIdleClients else { return endConnection() }
        flush()
        phase = .head
        deadline = loop.coarseNow + Limit.idle
        if input.readableBytes > 0 { readBegan = .now() }
        advance()
        resumeReading()
    }

    func switchToTunnel() {
        phase = .tunnel
        if input.readableBytes > 0 { exchange?.tunnelSent(input) }
        input = ByteBuffer()
        if hasInputClosed { exchange?.tunnelInputClosed() }
        resumeReading()
    }
}

@available(*, unavailable)
extension ClientHandler: Sendable {}
