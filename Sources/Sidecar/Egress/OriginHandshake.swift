internal import Egress
internal import NIOCore
internal import NIOSSL
internal import NIOTLS

/// Waits for the TLS handshake with the origin, which shows that a road leads to it.
final class OriginHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let meter: RoadMeter
    private var finished: EventLoopPromise<Void>?

    init(behind meter: RoadMeter, finished: EventLoopPromise<Void>) {
        self.meter = meter
        self.finished = finished
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            let finished = finished.take()
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            finished?.succeed()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let finished = finished.take() else { return context.fireErrorCaught(error) }
        finished.fail(fault(of: error))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finished.take()?.fail(RoadFault.closed)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finished.take()?.fail(RoadFault.closed)
    }

    /// A road that ends in the handshake leads nowhere; an answer that TLS cannot take is the origin's own.
    private func fault(of error: any Error) -> RoadFault {
        if let fault = error as? RoadFault { return fault }
        if case NIOSSLError.handshakeFailed(.sslError([.eofDuringHandshake])) = error { return .closed }
        let isTLS = error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError
        return isTLS && meter.hasReceived ? .originTLS : .closed
    }
}

@available(*, unavailable)
extension OriginHandshake: Sendable {}
