internal import Egress
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import NIOTLS

/// Fetches a URL by one rung after another and tells of each step: for people, not for requests.
struct HopTrial {
    struct Goal {
        let url: UpstreamURL
        /// Path and query.
        let target: String
    }

    private let goal: Goal
    private let settings: EgressSettings
    private let tls: UpstreamTLS

    init(_ goal: Goal, _ settings: EgressSettings, tls: UpstreamTLS) {
        self.goal = goal
        self.settings = settings
        self.tls = tls
    }

    /// Blocks until the answer has begun or a step has failed.
    ///
    /// - Parameter step: gets a line for every step.
    /// - Returns: whether an answer has begun.
    func run(_ rung: Rung, on loop: any EventLoop, step: @escaping @Sendable (String) -> Void) -> Bool {
        let watch = StopWatch(step)
        let answered = loop.makePromise(of: String.self)
        let (tls, url, request) = (tls, goal.url, request)
        let connected = Connector(proxyTLS: tls.toProxies).connect(
            to: Destination(host: url.host, port: url.port),
            by: rung,
            on: loop,
            limits: RoadLimits(connectSeconds: settings.connect.inSeconds, allowsPrivate: true)
        ) { channel in
            watch.passed("connect")
            return channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                if url.isTLS { try pipeline.addHandler(tls.handler(for: url.host)) }
                let asking = TrialHandler(request, awaitsTLS: url.isTLS, watch, answered)
                try pipeline.addHandler(asking)
            }
        }
        connected.cascadeFailure(to: answered)
        let timer = loop.scheduleTask(in: TimeAmount(settings.connect + settings.firstByte)) {
            answered.fail(RoadFault.timedOut)
        }
        defer {
            timer.cancel()
            connected.whenSuccess { $0.close(promise: nil) }
        }
        do {
            watch.passed("first byte", try answered.futureResult.wait())
            return true
        } catch {
            watch.passed("failed", (error as? RoadFault)?.label ?? "\(error)")
            return false
        }
    }

    private var request: String {
        "GET \(goal.url.pathPrefix + goal.target) HTTP/1.1\r\nHost: \(goal.url.authority)\r\n"
            + "User-Agent: sidecar\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    }
}

/// Prints how long each step took since the first.
private struct StopWatch: Sendable {
    private let started = NIODeadline.now()
    private let step: @Sendable (String) -> Void

    init(_ step: @escaping @Sendable (String) -> Void) {
        self.step = step
    }

    func passed(_ name: String, _ detail: String = "") {
        let milliseconds = (NIODeadline.now() - started).nanoseconds / 10_000
        let time = "\(milliseconds / 100).\(milliseconds / 10 % 10)\(milliseconds % 10) ms"
        step("\(name): \(time)\(detail.isEmpty ? "" : ", \(detail)")")
    }
}

/// Sends one request when the road, and TLS where there is any, is ready, and reads the status line.
private final class TrialHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: String
    private let awaitsTLS: Bool
    private let watch: StopWatch
    private let answered: EventLoopPromise<String>
    private var line = ByteBuffer()

    init(_ request: String, awaitsTLS: Bool, _ watch: StopWatch, _ answered: EventLoopPromise<String>) {
        self.request = request
        self.awaitsTLS = awaitsTLS
        self.watch = watch
        self.answered = answered
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if !awaitsTLS, context.channel.isActive { ask(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        if !awaitsTLS { ask(context) }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            watch.passed("tls")
            ask(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func ask(_ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        line.writeBuffer(&bytes)
        let text = String(buffer: line)
        guard let end = text.firstIndex(of: "\r\n") ?? (text.utf8.count > 256 ? text.endIndex : nil) else {
            return
        }
        answered.succeed(String(text[..<end].prefix(80)))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answered.fail(error is NIOSSLError || error is NIOSSLExtraError ? RoadFault.originTLS : error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        answered.fail(RoadFault.closed)
    }
}

@available(*, unavailable)
extension TrialHandler: Sendable {}
