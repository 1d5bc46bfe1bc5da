internal import Egress
internal import NIOCore

/// The road of a forwarded connection: opened rung by rung, and left for the next while nothing has come back by it.
extension ForwardHandler {
    func open(_ route: ForwardRoute, by hop: Hop) {
        phase = .opening
        deadline = .distantFuture
        let climb = Climb(
            hop,
            to: Climb.Goal(
                destination: route.destination,
                isTLS: false,
                allowsPrivate: route.allowsPrivate,
                keepsHalfOpen: true
            ),
            loop: loop,
            settings: loop.snapshot.configuration.egress,
            configure: { [weak self] channel, road in
                guard let self else { throw ChannelError.alreadyClosed }
                try channel.pipeline.syncOperations.addHandler(RoadHandler(road, client: self))
            },
            ended: { [weak self] in self?.climbEnded($0) }
        )
        climb.trace = startTrace()
        self.climb = climb
        climb.next()
    }

    private func climbEnded(_ result: Result<(any Channel, Road), RoadFault>) {
        switch result {
        case .failure(let fault):
            refuse(by: fault)
        case .success(let (channel, road)):
            record.rung = road.rung.label
            self.road = try? channel.pipeline.syncOperations.handler(type: RoadHandler.self)
            phase = .waiting
            // It cannot be left for another. Among others bytes from the far end prove it: filters let TCP through.
            if road.rung.isDirect, road.hop.state.entries.count == 1 { road.worked() }
            announce()
            sayFirst()
            self.road?.start()
            resumeReading()
        }
    }

    /// Says what the client has said already.
    private func sayFirst() {
        if let bytes = first.kept, bytes.readableBytes > 0 {
            road?.write(bytes)
            road?.flush()
            awaitAnswer()
        }
        if hasInputClosed { road?.closeOutput() }
    }

    /// Says more before anything has come back.
    func sendFirst(_ bytes: ByteBuffer) {
        record.bytesIn += bytes.readableBytes
        first.sent(bytes)
        road?.write(bytes)
        awaitAnswer()
    }

    /// Limits the time to the first byte, from the first bytes on.
    ///
    /// A client that sends more than can be sent again is not waiting for an answer, and has no use for the limit.
    private func awaitAnswer() {
        guard first.kept != nil else {
            answerDeadline = .distantFuture
            return
        }
        guard answerDeadline == .distantFuture, road?.road.isSettled == false else { return }
        answerDeadline = .now() + TimeAmount(loop.snapshot.configuration.egress.firstByte)
    }

    // MARK: - What the road says

    func roadReceived(_ bytes: ByteBuffer) {
        touch()
        if case .waiting = phase {
            road?.road.worked()
            first.wereAnswered()
            answerDeadline = .distantFuture
            phase = .relaying
        }
        record.bytesOut += bytes.readableBytes
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    func roadReadCompleted() {
        context?.flush()
    }

    /// The destination sends no more.
    func roadInputClosed() {
        if case .waiting = phase, road?.road.isSettled == false {
            guard hasInputClosed else { return roadFailed(by: .closed) }
            // The client ended first: that the far end does so too says nothing about the rung.
            road?.road.wasAbandoned()
        }
        endOutput()
    }

    /// The road has no word for the end of one direction: the destination may wait for more, and the client for nothing.
    func roadCannotEndHalf() {
        isWindingDown = true
        touch()
    }

    func roadClosed(by fault: RoadFault) {
        if case .waiting = phase, road?.road.isSettled == false {
            guard hasInputClosed, fault == .closed else { return roadFailed(by: fault) }
            road?.road.wasAbandoned()
        }
        road = nil
        guard let context else { return }
        // What has come is still to be written.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    /// Nothing has come back by the road: the next one is told the same.
    func roadFailed(by fault: RoadFault) {
        guard let handler = road.take() else { return }
        climb?.failed(handler.road, by: fault)
        handler.abandon()
        answerDeadline = .distantFuture
        guard first.kept != nil else {
            record.error = fault.label
            return close()
        }
        phase = .opening
        climb?.next()
    }

    /// Tells the client that no more will come.
    func endOutput() {
        guard let context else { return }
        // Closing the second direction closes the channel, and drops what is still to be written.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            context.close(mode: .output, promise: nil)
        }
    }
}
