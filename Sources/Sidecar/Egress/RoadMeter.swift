internal import Egress
internal import NIOCore
internal import Telemetry

/// Counts what goes through a road, both ways; its place is right behind the tunnel.
final class RoadMeter: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private let loop: LoopContext
    private let sent: Labels
    private let received: Labels
    private var sentBytes = 0
    private var receivedBytes = 0
    /// Whether anything has come back.
    private(set) var hasReceived = false

    init(_ road: Road, loop: LoopContext) {
        self.loop = loop
        let (hop, rung) = (road.hop.label, Label(road.rung.label))
        sent = Labels(hop, rung, Self.sentLabel)
        received = Labels(hop, rung, Self.receivedLabel)
    }

    private static let sentLabel = Label("sent")
    private static let receivedLabel = Label("received")

    func handlerAdded(context: ChannelHandlerContext) {
        loop.roadOpened(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        report(to: &loop.metrics)
        loop.roadClosed(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasReceived = true
        receivedBytes += unwrapInboundIn(data).readableBytes
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        sentBytes += unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
    }

    /// Puts what was counted since the last time into the figures.
    func report(to figures: inout MetricsShard) {
        if sentBytes > 0 { figures.add(.egressBytes, sent, Double(sentBytes)) }
        if receivedBytes > 0 { figures.add(.egressBytes, received, Double(receivedBytes)) }
        (sentBytes, receivedBytes) = (0, 0)
    }
}

@available(*, unavailable)
extension RoadMeter: Sendable {}
