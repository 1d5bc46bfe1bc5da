internal import Egress
internal import NIOCore

/// The far end of a forwarded connection: passes what comes by the road to the client.
///
/// All of its state belongs to the connection's event loop, which is also the client's.
final class RoadHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let road: Road
    /// Nil once the client has taken another road, or left.
    private var client: ForwardHandler?
    private var context: ChannelHandlerContext?
    private var isReadPending = false
    /// What came before the client was ready for it.
    private var early = ByteBuffer()
    private var isStarted = false
    private var hasInputClosed = false
    private var isClosed = false
    private var fault = RoadFault.closed

    /// Kept from the channel's events: asking it costs more than everything else in the question.
    private(set) var isWritable = true

    init(_ road: Road, client: ForwardHandler) {
        self.road = road
        self.client = client
    }

    // MARK: - What the client asks for

    /// The client is ready for what comes.
    func start() {
        isStarted = true
        if early.readableBytes > 0 {
            client?.roadReceived(early)
            client?.roadReadCompleted()
            early = ByteBuffer()
        }
        if isClosed {
            client?.roadClosed(by: fault)
        } else if hasInputClosed {
            client?.roadInputClosed()
        }
        resumeReading()
    }

    func write(_ bytes: ByteBuffer) {
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    func flush() {
        context?.flush()
    }

    /// The client will send no more.
    func closeOutput() {
        guard let context else { return }
        // Closing the second direction closes the channel, and drops what is still to be written.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            context.close(mode: .output).assumeIsolated().whenFailure { error in
                guard case ChannelError.operationUnsupported = error else { return }
                self.client?.roadCannotEndHalf()
            }
        }
    }

    /// The client has said all that it had to say, and has gone.
    func finish() {
        client = nil
        guard let context else { return }
        // What it said is still on its way; a destination that does not take it is not waited for.
        let channel = context.channel
        let timer = context.eventLoop.scheduleTask(in: ClientHandler.Limit.flush) {
            channel.close(promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            timer.cancel()
            context.close(promise: nil)
        }
    }

    /// The client has taken another road, or broken off.
    func abandon() {
        client = nil
        context?.close(promise: nil)
    }

    func resumeReading() {
        guard isReadPending, mayRead else { return }
        isReadPending = false
        context?.read()
    }

    private var mayRead: Bool { isStarted && client?.isWritable ?? true }

    // MARK: - What the channel says

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        isWritable = context.channel.isWritable
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadPending = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard bytes.readableBytes > 0 else { return }
        if isStarted { client?.roadReceived(bytes) } else { early.writeBuffer(&bytes) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        client?.roadReadCompleted()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable { client?.resumeReading() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            hasInputClosed = true
            if isStarted { client?.roadInputClosed() }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A tunnel says what is wrong with it; whatever else it was, the end of the connection tells.
        if let error = error as? RoadFault { fault = error }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed = true
        if isStarted { client?.roadClosed(by: fault) }
        client = isStarted ? nil : client
        context.fireChannelInactive()
    }
}

@available(*, unavailable)
extension RoadHandler: Sendable {}
