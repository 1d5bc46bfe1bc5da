internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// Asks a LiteLLM which models a client may use, with exactly the client's own credentials.
///
/// Off the hot path: one connection a question, NIO's own codec.
struct ModelListRequest {
    let url: UpstreamURL
    let tls: UpstreamTLS
    /// Names and values of the credential fields.
    let credentials: [(name: String, value: String)]
    let connectTimeout: TimeAmount

    /// For the whole question: a client waits for the answer.
    private static let timeout = TimeAmount.seconds(10)
    /// Longer lists are not read: the answer then counts as none.
    private static let maxBodyBytes = 4 * 1024 * 1024

    /// What came back.
    struct Answer: Sendable {
        var status: Int
        var body: ByteBuffer
    }

    /// Sends it.
    ///
    /// - Returns: a future of the given loop; it fails when no whole answer came in time.
    func send(on eventLoop: any EventLoop) -> EventLoopFuture<Answer> {
        let answer = eventLoop.makePromise(of: Answer.self)
        let (tls, host) = (url.isTLS ? tls : nil, url.host)
        let connected = ClientBootstrap(group: eventLoop)
            .connectTimeout(connectTimeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(tls.handler(for: host)) }
                    try pipeline.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
                    try pipeline.addHandler(
                        NIOHTTPClientResponseAggregator(maxContentLength: Self.maxBodyBytes)
                    )
                    try pipeline.addHandler(ModelListHandler(answer))
                }
            }
            .connect(host: url.host, port: url.port)
        connected.cascadeFailure(to: answer)
        let head = head
        connected.whenSuccess { channel in
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        }
        let limit = eventLoop.scheduleTask(in: Self.timeout) {
            answer.fail(ChannelError.connectTimeout(Self.timeout))
        }
        answer.futureResult.whenComplete { _ in
            limit.cancel()
            connected.whenSuccess { $0.close(promise: nil) }
        }
        return answer.futureResult
    }

    private var head: HTTPRequestHead {
        var headers: HTTPHeaders = [
            "host": url.authority, "accept": "application/json", "accept-encoding": "identity",
            "via": "1.1 sidecar", "connection": "close",
        ]
        for (name, value) in credentials { headers.add(name: name, value: value) }
        return HTTPRequestHead(
            version: .http1_1,
            method: .GET,
            uri: url.pathPrefix + "/v1/models",
            headers: headers
        )
    }
}

/// Hands the whole answer over; whatever else happens is a failure.
private final class ModelListHandler: ChannelInboundHandler {
    typealias InboundIn = NIOHTTPClientResponseFull

    private let answer: EventLoopPromise<ModelListRequest.Answer>

    init(_ answer: EventLoopPromise<ModelListRequest.Answer>) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let response = unwrapInboundIn(data)
        answer.succeed(.init(status: Int(response.head.status.code), body: response.body ?? ByteBuffer()))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is NIOHTTPObjectAggregatorError {
            // It did answer, with a list that nobody reads.
            answer.succeed(.init(status: 200, body: ByteBuffer()))
        } else {
            answer.fail(error)
        }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // Of no effect behind an answer.
        answer.fail(ChannelError.eof)
    }
}

@available(*, unavailable)
extension ModelListHandler: Sendable {}
