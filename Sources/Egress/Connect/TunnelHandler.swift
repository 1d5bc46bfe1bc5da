internal import NIOCore
internal import NIOTLS

/// Drives the state of any tunnel on one connection.
///
/// The layers above see `channelActive` when the tunnel is open, and nothing but payload. Writes are collected until
/// they are flushed, so that what is written together is sealed together.
///
/// All of its state belongs to the connection's event loop, so it needs no lock and is not `Sendable`.
final class TunnelHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var state: any TunnelState
    /// Whether the layer below is TLS, which is ready only after its handshake.
    private let awaitsTLS: Bool
    private var hasStarted = false
    private var isOpen = false
    /// Whether the proxy will send no more, or nothing is wanted of it.
    private var isInputOver = false
    /// Whether the user has ended its direction, and the proxy could not be told.
    private var isOutputOver = false
    /// What has come and is not complete yet.
    private var rest = ByteBuffer()
    /// What is to be sealed at the next flush.
    private var pending = ByteBuffer()
    private var pendingPromise: EventLoopPromise<Void>?

    init(_ state: any TunnelState, awaitsTLS: Bool) {
        self.state = state
        self.awaitsTLS = awaitsTLS
    }

    // MARK: - Beginning

    func channelActive(context: ChannelHandlerContext) {
        if !awaitsTLS { start(context: context) }
    }

    /// Sends the handshake, if it has not been.
    ///
    /// Called for the first layer by who adds it, since the channel is active by then.
    private func start(context: ChannelHandlerContext) {
        guard !hasStarted else { return }
        hasStarted = true
        switch state.connected() {
        case .handshake(let bytes):
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        case .open: open(context: context)
        }
    }

    private func open(context: ChannelHandlerContext) {
        isOpen = true
        context.fireChannelActive()
    }

    // MARK: - From the proxy

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isInputOver else { return }
        if state.passesInbound, rest.readableBytes == 0 { return context.fireChannelRead(data) }
        var bytes = unwrapInboundIn(data)
        do {
            try complete(with: &bytes, context: context)
            try read(&bytes, context: context)
        } catch {
            fail(error, context: context)
        }
        // Copied: a slice would keep the memory of all that has been read alive.
        if bytes.readableBytes > 0, !isInputOver { rest.writeBuffer(&bytes) }
    }

    /// Gives what was left the bytes that it waits for, and no more than that, so that the others need not be copied.
    private func complete(with bytes: inout ByteBuffer, context: ChannelHandlerContext) throws(RoadFault) {
        while rest.readableBytes > 0, !isInputOver,
            var part = bytes.readSlice(length: min(bytes.readableBytes, 16_384)),
            part.readableBytes > 0
        {
            let added = part.readableBytes
            rest.writeBuffer(&part)
            try read(&rest, context: context)
            guard rest.readableBytes <= added else { continue }
            // What was left is done with; the rest is read where it came.
            bytes.moveReaderIndex(to: bytes.readerIndex - rest.readableBytes)
            rest = ByteBuffer()
        }
    }

    private func read(_ bytes: inout ByteBuffer, context: ChannelHandlerContext) throws(RoadFault) {
        while bytes.readableBytes > 0, !isInputOver {
            if state.passesInbound {
                let payload = bytes
                bytes.moveReaderIndex(to: bytes.writerIndex)
                return context.fireChannelRead(wrapInboundOut(payload))
            }
            let room = min(bytes.readableBytes, TunnelProgress.room)
            var payload = context.channel.allocator.buffer(capacity: room)
            let progress = try advance(bytes, &payload, room)
            bytes.moveReaderIndex(forwardBy: progress.consumed)
            perform(progress, payload, context: context)
            if progress.consumed == 0 { return }
        }
    }

    private func advance(
        _ bytes: ByteBuffer,
        _ payload: inout ByteBuffer,
        _ room: Int
    ) throws(RoadFault) -> TunnelProgress {
        var result = Result<TunnelProgress, RoadFault>.success(TunnelProgress())
        payload.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { payload in
            result = bytes.withUnsafeReadableBytes { bytes in
                Result { () throws(RoadFault) in try state.received(bytes, payload: payload) }
            }
            guard case .success(let progress) = result else { return 0 }
            return progress.payloadCount
        }
        return try result.get()
    }

    private func perform(_ progress: TunnelProgress, _ payload: ByteBuffer, context: ChannelHandlerContext) {
        if !progress.reply.isEmpty {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: progress.reply)), promise: nil)
        }
        if payload.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(payload)) }
        switch progress.event {
        case .none: break
        case .opened: open(context: context)
        case .ended: end(context: context)
        }
    }

    /// Tells the end of the other side's bytes once.
    private func end(context: ChannelHandlerContext) {
        guard !isInputOver else { return }
        isInputOver = true
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        let allows = try? context.channel.syncOptions?.getOption(.allowRemoteHalfClosure)
        if allows != true || isOutputOver { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted where awaitsTLS && !hasStarted:
            start(context: context)
        case ChannelEvent.inputClosed:
            guard isOpen, rest.readableBytes == 0 else { return fail(.closed, context: context) }
            end(context: context)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func fail(_ fault: RoadFault, context: ChannelHandlerContext) {
        guard !isInputOver else { return }
        isInputOver = true
        context.fireErrorCaught(fault)
        context.close(promise: nil)
    }

    // MARK: - To the proxy

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if state.passesOutbound, pending.readableBytes == 0 { return context.write(data, promise: promise) }
        var bytes = unwrapOutboundIn(data)
        if pending.readableBytes == 0 { pending = bytes } else { pending.writeBuffer(&bytes) }
        guard let promise else { return }
        if let pendingPromise {
            pendingPromise.futureResult.cascade(to: promise)
        } else {
            pendingPromise = promise
        }
    }

    func flush(context: ChannelHandlerContext) {
        sealPending(context: context)
        context.flush()
    }

    private func sealPending(context: ChannelHandlerContext) {
        guard isOpen else { return }
        guard pending.readableBytes > 0 || state.owesBytes else { return passEmptyWrite(context: context) }
        let bound = state.sealedCount(pending.readableBytes)
        var wire = context.channel.allocator.buffer(capacity: bound)
        wire.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { wire in
            pending.withUnsafeReadableBytes { state.seal($0, into: wire) }
        }
        pending = ByteBuffer()
        let promise = pendingPromise
        pendingPromise = nil
        context.write(wrapOutboundOut(wire), promise: promise)
    }

    /// A write without bytes has nothing to be sealed, but its promise waits for the writes before it.
    private func passEmptyWrite(context: ChannelHandlerContext) {
        guard let promise = pendingPromise else { return }
        pendingPromise = nil
        context.write(wrapOutboundOut(ByteBuffer()), promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode != .input else { return context.close(mode: mode, promise: promise) }
        sealPending(context: context)
        if mode == .output, !state.canHalfClose, !isInputOver {
            isOutputOver = true
            // Whoever asked has to know that the other side was not told.
            promise?.fail(ChannelError.operationUnsupported)
            return context.flush()
        }
        // With nothing to come any more, ending a direction that cannot be ended alone ends all.
        let mode = state.canHalfClose ? mode : .all
        if mode == .all, isOpen {
            let farewell = state.closing()
            if !farewell.isEmpty { context.write(wrapOutboundOut(ByteBuffer(bytes: farewell)), promise: nil) }
        }
        context.flush()
        context.close(mode: mode, promise: promise)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        pendingPromise?.fail(ChannelError.ioOnClosedChannel)
        pendingPromise = nil
    }
}

@available(*, unavailable)
extension TunnelHandler: Sendable {}
