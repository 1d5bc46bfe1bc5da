internal import NIOCore
internal import NIOSSL

/// The end of a road while it is being built: reports that it is open, or what went wrong.
///
/// What arrives before the handlers of whoever uses the road are in place is kept and handed to them in order; then this
/// handler is gone. Nothing is read meanwhile, so that it is no more than what came with the handshake's last bytes.
///
/// All of its state belongs to the connection's event loop, so it needs no lock and is not `Sendable`.
final class RoadEndHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private enum Phase {
        case building
        case configuring
        case over
    }

    private var phase = Phase.building
    private var arrived: [ByteBuffer] = []
    private var isInputClosed = false
    private var isReadAwaited = false
    private let opening: ConnectionOpening

    init(_ opening: ConnectionOpening) {
        self.opening = opening
    }

    /// The road is open.
    func channelActive(context: ChannelHandlerContext) {
        guard case .building = phase else { return context.fireChannelActive() }
        phase = .configuring
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        opening.configure(context.channel).hop(to: context.eventLoop).whenComplete { result in
            let (handler, context) = bound.value
            switch result {
            case .success: handler.configured(context: context)
            case .failure(let error): handler.fail(error, context: context)
            }
        }
    }

    private func configured(context: ChannelHandlerContext) {
        guard case .configuring = phase else { return }
        phase = .over
        opening.succeed(context.channel)
        for bytes in arrived { context.fireChannelRead(wrapInboundOut(bytes)) }
        if !arrived.isEmpty { context.fireChannelReadComplete() }
        if isInputClosed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        // Protocols whose header goes with the first payload send it alone now if there was none: where the other side
        // speaks first nothing else would come, and the proxy can begin to connect.
        context.flush()
        if isReadAwaited { context.read() }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .over = phase else { return arrived.append(unwrapInboundIn(data)) }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .over = phase { context.fireChannelReadComplete() }
    }

    func read(context: ChannelHandlerContext) {
        if case .configuring = phase { isReadAwaited = true } else { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else {
            return context.fireUserInboundEventTriggered(event)
        }
        switch phase {
        case .building: fail(RoadFault.closed, context: context)
        case .configuring: isInputClosed = true
        case .over: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .over = phase { context.fireErrorCaught(error) } else { fail(error, context: context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .over = phase { return context.fireChannelInactive() }
        fail(RoadFault.closed, context: context)
    }

    private func fail(_ error: any Error, context: ChannelHandlerContext) {
        if case .over = phase { return }
        phase = .over
        opening.fail(error)
        context.close(promise: nil)
    }
}

@available(*, unavailable)
extension RoadEndHandler: Sendable {}
