internal import Glibc
internal import NIOCore
internal import Wire

/// How a client connection ends: by the client, by an answer that is the last one, by time.
extension ClientHandler {
    func inputClosed() {
        hasInputClosed = true
        switch phase {
        case .head, .body:
            endOfInput()
        case .tunnel:
            exchange?.tunnelInputClosed()
        case .responding:
            // A client that has gone and one that only has nothing more to say look the same. An interim
            // response tells them apart: it is skipped by the one and reset by the other's system.
            exchange?.probeClient()
        case .lingering(let isFlushed):
            if isFlushed { close() }
        }
    }

    /// The client sends no more: what it has begun is never complete.
    func endOfInput() {
        switch phase {
        case .head where input.readableBytes == 0: endConnection()
        case .head, .body: refuse(.badRequest("the connection ended within the request"))
        case .responding, .tunnel, .lingering: break
        }
    }

    /// Answers with an error of the sidecar's own and ends the connection.
    func refuse(_ error: SidecarError) {
        if let exchange {
            exchange.refuse(error)
        } else {
            let id = loop.observeRefusal(error, listener: listener)
            let notes = AnswerNotes(requestID: id)
            write(ErrorAnswer(error, dialect: .other).response(keepsAlive: false, notes: notes))
            endConnection()
        }
    }

    /// Ends the connection after the answer, when the client has had time to read it.
    ///
    /// Closing with unread input would make the system send a reset, which can destroy the answer.
    func endConnection() {
        phase = .lingering(isFlushed: false)
        deadline = loop.coarseNow + Limit.flush
        isStarvedSince = nil
        context?.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenSuccess { _ in
            self.answerIsOut()
        }
        resumeReading()
    }

    private func answerIsOut() {
        if hasInputClosed { return close() }
        phase = .lingering(isFlushed: true)
        deadline = loop.coarseNow + Limit.linger
        context?.close(mode: .output, promise: nil)
    }

    /// Breaks the connection off, so that the client sees that its answer is not complete.
    func close() {
        context?.close(promise: nil)
    }

    /// Breaks the connection off so that its end cannot be taken for the end of an answer.
    func reset() {
        let atOnce = linger(l_onoff: 1, l_linger: 0)
        _ = (context?.channel as? any SocketOptionProvider)?.setSoLinger(atOnce)
        close()
    }

    /// Closes the connection now if it is idle, and after the answer if it is not.
    func drain() {
        if case .head = phase, input.readableBytes == 0 { close() }
    }

    func tick(now: NIODeadline) {
        exchange?.tick(now: now)
        if let since = isStarvedSince, case .body = phase { tickStarved(since: since, now: now) }
        guard now >= deadline else { return }
        switch phase {
        case .head: input.readableBytes == 0 ? close() : refuse(.requestTimedOut)
        case .body where isStarvedSince == nil && isReadPending == false: refuse(.requestTimedOut)
        case .lingering: close()
        case .body, .responding, .tunnel: break
        }
    }

    private func tickStarved(since: NIODeadline, now: NIODeadline) {
        let limit = loop.snapshot.configuration.limits.maxBufferedBytes
        if loop.shared.bufferedBytes.value < limit {
            isStarvedSince = nil
            deadline = now + Limit.stalledBody
            resumeReading()
        } else if now - since > Limit.fullBuffers {
            isStarvedSince = nil
            refuse(.buffersFull(limitBytes: limit))
        }
    }
}
