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
        // A declared length is trusted once bytes are there: a large one has got its room.
        if case .length(let count) = head.framing, body.writableBytes < bytes.readableBytes {
            body.reserveCapacity(count)
        }
        body.writeImmutableBuffer(bytes)
    }

    private func charge() {
        let added = body.readableBytes - heldBytes
        heldBytes = body.readableBytes
        let limit = variant.configuration.limits.maxBufferedBytes
        if loop.shared.bufferedBytes.increment(by: added) > limit { client.buffersAreFull() }
    }

    /// Forgets what was received once nothing can be sent again.
    func releaseRequest() {
        if heldBytes > 0 { loop.shared.bufferedBytes.decrement(by: heldBytes) }
        heldBytes = 0
        if let room = room.take() {
            loop.shared.bodyRoom.release(room)
            client.reads(as: Buffers.ofRequests)
        }
        for room in putBackRooms { loop.shared.bodyRoom.release(room) }
        putBackRooms = []
        body = ByteBuffer()
        headBytes = ByteBuffer()
        decision = nil
        heldAnswer = nil
        attempt?.body = nil
    }
}
