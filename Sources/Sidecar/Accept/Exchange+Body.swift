internal import NIOCore
internal import Wire

/// The body of a request while it arrives, and the memory that it takes.
extension Exchange {
    func claimRoom() {
        guard case .length(let count) = head.framing, count >= BodyRoom.leastBytes else { return }
        guard SystemMemory.gives(forBodyOf: count) else { return refuse(.noMemory(byteCount: count)) }
        let limit = variant.configuration.limits.maxBufferedBytes
        client.reads(as: Buffers.ofLargeBodies)
        room = loop.shared.bodyRoom.claim(count, of: limit, on: loop.eventLoop) { [weak self] in
            self?.client.resumeReading()
        }
    }

    /// Payload of a body that is held, framing taken off.
    func collect(_ payload: UnsafeRawBufferPointer) {
        record.bytesIn += payload.count
        guard !isStreamed, head.framing == .chunked, !lacksMemory else { return }
        let grows = body.writableBytes < payload.count && body.readableBytes >= BodyRoom.leastBytes
        lacksMemory = grows && !SystemMemory.gives(forBodyOf: 2 * body.readableBytes)
        if !lacksMemory { body.writeBytes(payload) }
    }

    /// A piece of the body as it was framed.
    func bodyReceived(_ bytes: ByteBuffer) {
        if isStreamed { return passOn(bytes) }
        if lacksMemory { return refuse(.noMemory(byteCount: 2 * body.readableBytes)) }
        if head.framing != .chunked { hold(bytes) }
        charge()
        guard body.readableBytes <= variant.configuration.limits.maxBodyBytes else {
            return refuse(.bodyTooLarge(limitBytes: variant.configuration.limits.maxBodyBytes))
        }
    }

    private func hold(_ bytes: ByteBuffer) {
        guard body.readableBytes > 0 else {
            body = bytes
            return
        }
        // A declared length is trusted once bytes are there, that of a large body once it has got its room: what came
        // before that takes as much as it needs.
        if case .length(let count) = head.framing, room?.isGranted ?? true,
            body.writableBytes < bytes.readableBytes
        {
            reserve(count)
        }
        body.writeImmutableBuffer(bytes)
    }

    private func reserve(_ byteCount: Int) {
        guard room != nil, var spare = loop.shared.spareBuffers.take(for: byteCount) else {
            return body.reserveCapacity(byteCount)
        }
        spare.writeImmutableBuffer(body)
        body = spare
    }

    private func charge() {
        let added = body.readableBytes - heldBytes
        heldBytes = body.readableBytes
        let limit = variant.configuration.limits.maxBufferedBytes
        if loop.shared.bufferedBytes.increment(by: added) > limit { client.buffersAreFull() }
    }

    /// Forgets what was received once nothing can be sent again.
    func releaseRequest() {
        headBytes = ByteBuffer()
        decision = nil
        heldAnswer = nil
        attempt?.body = nil
        // Before its room goes to the next one, who may then have it.
        if room != nil { loop.shared.spareBuffers.keep(takeBody()) } else { body = ByteBuffer() }
        if heldBytes > 0 { loop.shared.bufferedBytes.decrement(by: heldBytes) }
        heldBytes = 0
        if let room = room.take() {
            loop.shared.bodyRoom.release(room)
            client.reads(as: Buffers.ofRequests)
        }
        for room in putBackRooms { loop.shared.bodyRoom.release(room) }
        putBackRooms = []
    }

    private func takeBody() -> ByteBuffer {
        var taken = ByteBuffer()
        swap(&taken, &body)
        return taken
    }
}
