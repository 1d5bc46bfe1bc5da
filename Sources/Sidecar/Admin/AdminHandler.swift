internal import NIOCore
internal import NIOHTTP1

/// Answers the requests of the admin listener.
///
/// Off the hot path: it uses NIO's own HTTP codec and asks the event loops for their figures.
final class AdminHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let pages: AdminPages
    /// Bodies are those of `POST /explain`: as long as a request may be.
    private let maxBodyBytes: Int
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()
    private var isTooLong = false
    private var takesBody = false
    private var isAnswering = false
    private var hasInputClosed = false

    init(pages: AdminPages, maxBodyBytes: Int) {
        self.pages = pages
        self.maxBodyBytes = maxBodyBytes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ByteBuffer()
            isTooLong = false
            takesBody = pages.takesBody(head)
        case .body(let part):
            guard takesBody else { return }
            isTooLong = isTooLong || body.readableBytes + part.readableBytes > maxBodyBytes
            if !isTooLong { body.writeImmutableBuffer(part) }
        case .end:
            guard let head = head.take() else { return }
            respond(to: AdminRequest(head: head, body: body), context: context)
            body = ByteBuffer()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            hasInputClosed = true
            // A client that has left between two requests asks nothing more; one that waits still gets its answer.
            if !isAnswering { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func respond(to request: AdminRequest, context: ChannelHandlerContext) {
        isAnswering = true
        if isTooLong {
            let page = AdminPage(status: .payloadTooLarge, body: "the body is over limits.maxBodyBytes\n")
            return write(page, for: request.head, context: context)
        }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        pages.answer(request, on: context.eventLoop).whenSuccess { page in
            let (handler, context) = bound.value
            handler.write(page, for: request.head, context: context)
        }
    }

    private func write(_ page: AdminPage, for head: HTTPRequestHead, context: ChannelHandlerContext) {
        var headers = page.headers
        headers.add(name: "content-type", value: page.contentType)
        headers.add(name: "x-content-type-options", value: "nosniff")
        // An answer 304 has no body and states no length of it (RFC 9110, section 15.4.5).
        let hasBody = head.method != .HEAD && page.status != .notModified
        if page.status != .notModified {
            headers.add(name: "content-length", value: String(page.body.utf8.count))
        }
        if page.status == .unauthorized { headers.add(name: "www-authenticate", value: "Bearer") }
        // While draining the next question is for the process that has taken over.
        let keepsAlive = head.isKeepAlive && !pages.shared.isDraining.value && !hasInputClosed
        isAnswering = false
        if !keepsAlive { headers.add(name: "connection", value: "close") }
        let response = HTTPResponseHead(version: .http1_1, status: page.status, headers: headers)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if hasBody {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: page.body)))), promise: nil)
        }
        let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        guard !keepsAlive else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        written.whenComplete { _ in bound.value.close(promise: nil) }
    }
}

@available(*, unavailable)
extension AdminHandler: Sendable {}
