internal import NIOCore
internal import Policies
internal import Telemetry
internal import Wire

/// The way back: from the first byte of the upstream's answer to the last one to the client.
extension Exchange {
    /// Pieces up to this size are copied behind the head, which is cheaper than a second piece in the write.
    private static let smallWrite = 4096

    /// The final head of a response is there.
    func responseStarted(_ head: ResponseHead, _ bytes: ByteBuffer) {
        guard !isOver else { return }
        let answer = OngoingAnswer(head: head, bytes: bytes, mode: mode(for: head, bytes))
        if isInspected, head.first(.contentEncoding) == nil, isEventStream(head, bytes), head.status < 300 {
            answer.reader = ChatStreamReader(dialect: record.dialect)
        }
        self.answer = answer
        wasTouched = true
        switch answer.mode {
        case .relaying: accept()
        case .tunnel: openTunnel()
        case .holdingError, .holdingStream: break
        }
    }

    private func mode(for head: ResponseHead, _ bytes: ByteBuffer) -> OngoingAnswer.Mode {
        if head.status == 101 { return .tunnel }
        guard isInspected else { return .relaying }
        if head.status >= 400 { return .holdingError }
        let isLast = attempt?.place == (plan?.attempts.count ?? 1) - 1
        return !isLast && isEventStream(head, bytes) ? .holdingStream : .relaying
    }

    private func isEventStream(_ head: ResponseHead, _ bytes: ByteBuffer) -> Bool {
        guard let field = head.first(.contentType) else { return false }
        let type: StaticString = "text/event-stream"
        return bytes.withUnsafeReadableBytes { raw in
            field.value.count >= type.utf8CodeUnitCount
                && raw.slice(field.value.prefix(type.utf8CodeUnitCount)).equalsIgnoringCase(type)
        }
    }

    /// Reads a piece of the body with its framing taken off, before ``responseReceived(_:lastChunkEnd:)`` gets it whole.
    ///
    /// - Parameter scan: follows the framing and calls back with every run of payload.
    func readPayload(
        _ scan: ((UnsafeRawBufferPointer) -> Void) -> UpstreamState.BodyProgress
    ) -> UpstreamState.BodyProgress {
        guard let answer else { return scan { _ in } }
        var byteCount = 0
        let collects = isInspected && answer.collectsPayload || answer.stripsChunking
        let progress = scan { payload in
            byteCount += payload.count
            answer.reader?.feed(payload)
            if collects { answer.payload.writeBytes(payload) }
        }
        record.upstreamBytesIn += byteCount
        answer.byteCount += byteCount
        return progress
    }

    /// A piece of the body as it was framed.
    func responseReceived(_ bytes: ByteBuffer, lastChunkEnd: Int) {
        guard !isOver, let mode = answer?.mode else { return }
        noteFirstToken()
        wasTouched = true
        switch mode {
        case .relaying: relay(bytes, lastChunkEnd: lastChunkEnd)
        case .holdingError: holdError(bytes)
        case .holdingStream: holdStream(bytes)
        case .tunnel: break
        }
    }

    private func noteFirstToken() {
        if record.firstToken == nil, answer?.reader?.sawDelta == true { record.firstToken = .now() }
    }

    /// The response is complete.
    func responseEnded() {
        guard !isOver else { return }
        attempt?.connection = nil
        answer?.isComplete = true
        switch answer?.mode {
        case .relaying: finishRelay()
        case .holdingError: errorIsComplete()
        case .holdingStream: judgeStream()
        case .tunnel: endTunnel()
        case nil: break
        }
    }

    func upstreamReadCompleted() {
        guard answer?.isRelaying == true else { return }
        writePendingHead()
        client.flush()
    }

    // MARK: - Holding

    private func holdError(_ bytes: ByteBuffer) {
        answer?.raw.writeImmutableBuffer(bytes)
        if (answer?.raw.readableBytes ?? 0) > OngoingAnswer.maxHeldBytes { errorIsComplete() }
    }

    private func holdStream(_ bytes: ByteBuffer) {
        answer?.raw.writeImmutableBuffer(bytes)
        guard let answer, let reader = answer.reader else { return accept() }
        if reader.sawDelta || reader.isDone || answer.raw.readableBytes > OngoingAnswer.maxHeldBytes {
            accept()
        }
        // An error before the first token is judged when the stream has ended: LiteLLM ends it at once.
    }

    /// A stream ended before its first token.
    private func judgeStream() {
        answer?.reader?.finish()
        guard let reader = answer?.reader, reader.hasError else {
            return attemptFailed(.unanswered(.upstreamFault), delay: nil)
        }
        let body = reader.errorBody ?? ErrorBody()
        fail(with: Answer(eventMessage: body.message, type: body.type, code: body.code))
    }

    /// An error answer is there, or as much of it as is held.
    private func errorIsComplete() {
        guard let answer else { return }
        let body = answer.payload.withUnsafeReadableBytes { ErrorBody.reading($0) }
        let text = body == nil ? String(buffer: answer.payload) : ""
        fail(
            with: Answer(
                status: answer.head.status,
                message: body?.message ?? text,
                type: body?.type ?? "",
                code: body?.code ?? "",
                requestHadCredential: hasCredential
            )
        )
    }

    /// Whether the client sent any credential; a scheme with nothing behind it is none.
    private var hasCredential: Bool {
        headBytes.withUnsafeReadableBytes { raw in
            head.fields.contains { field in
                guard field.header.isCredential, !field.value.isEmpty else { return false }
                return field.header != .authorization || raw.slice(field.value).contains(0x20)
            }
        }
    }

    private func fail(with answer: Answer) {
        let failure = FailureTable.classify(answer) ?? .callerFault
        attemptFailed(
            .answered(
                failure,
                status: answer.status,
                sentTokens: attempt?.countedTokens,
                wasClipped: attempt?.wasClipped ?? false
            ),
            delay: statedDelay(answer.message)
        )
    }

    private func statedDelay(_ message: String) -> Duration? {
        guard plan?.route != nil, let answer else { return nil }
        let names = Set(RetryDelay.headerNames)
        let headers = answer.bytes.withUnsafeReadableBytes { raw in
            answer.head.fields.reduce(into: [String: String]()) { found, field in
                let name = String(decoding: raw.slice(field.name), as: UTF8.self).lowercased()
                guard names.contains(name), found[name] == nil else { return }
                found[name] = String(decoding: raw.slice(field.value), as: UTF8.self)
            }
        }
        return RetryDelay.stated(headers: { headers[$0] }, message: message, now: Clock.epochSeconds())
    }

    /// Keeps the answer that has just come: the client gets it if all others fail as well.
    func keepAnswer() {
        // A part of an answer cannot be kept: the rest went with its connection.
        guard let answer, answer.isComplete, let target = attempt?.target else { return }
        heldAnswer = HeldAnswer(answer: answer, model: target.model)
        self.answer = nil
    }

    // MARK: - Relaying

    /// The answer is one that the client gets.
    private func accept() {
        noteListedModel()
        observeAttempt(outcome: .ok)
        // A probe's verdict is known now; waiting for the end of a long stream would keep everybody else away.
        if attempt?.isProbe == true { settle(.success) }
        act { $0.answered() }
    }

    private func noteListedModel() {
        guard isInspected, let answer, let field = answer.head.first(.modelGroup) else { return }
        let group = answer.bytes.withUnsafeReadableBytes {
            String(decoding: $0.slice(field.value), as: UTF8.self)
        }
        if group == attempt?.target.model { snapshot.list(group) }
    }

    func relayAnswer() {
        startRelay(model: attempt?.target.model ?? "")
    }

    func relayHeldAnswer() {
        guard let held = heldAnswer.take() else { return }
        answer = held.answer
        startRelay(model: held.model)
    }

    /// Writes the head and goes on to pass the body.
    private func startRelay(model: String) {
        guard let head = answer?.head else { return }
        record.status = head.status
        record.model = model
        if isInspected { record.outcomes = failover?.outcomes ?? [] }
        let isHTTP10 = self.head.minorVersion == 0
        let stripsChunking = isHTTP10 && head.framing == .chunked
        let keepsAlive =
            self.head.keepsAlive && isBodyComplete && !stripsChunking && head.framing != .untilClose
        answer?.stripsChunking = stripsChunking
        answer?.keepsAlive = keepsAlive && !loop.isDraining
        answer?.mode = .relaying
        writeHead(isForHTTP10: isHTTP10)
        releaseRequest()
        if answer?.reader != nil, answer?.countsAsStream == false {
            answer?.countsAsStream = true
            loop.metrics.add(.streamsOpen, .none, 1)
        }
        if stripsChunking { writePayload() }
        if answer?.isComplete == true { finishRelay() }
    }

    private func writeHead(isForHTTP10: Bool) {
        guard let answer else { return }
        let head = ClientResponseHead(
            head: answer.head,
            bytes: answer.bytes,
            keepsAlive: answer.keepsAlive,
            isForHTTP10: isForHTTP10,
            notes: notes
        )
        write(head, before: answer.raw, stripped: answer.stripsChunking)
        answer.raw = ByteBuffer()
        answer.bytes = ByteBuffer()
    }

    /// Writes the head, and what was held of the body behind it.
    private func write(_ head: ClientResponseHead, before held: ByteBuffer, stripped: Bool) {
        guard held.readableBytes > 0, !stripped else {
            pendingHead = head.written(roomBehind: Self.smallWrite)
            return
        }
        client.write(head.written(roomBehind: 0))
        client.write(held)
    }

    /// Writes to the client; a small first piece goes out in one buffer with the head.
    private func write(_ bytes: ByteBuffer) {
        guard var head = pendingHead.take() else { return client.write(bytes) }
        if bytes.readableBytes <= Self.smallWrite {
            head.writeImmutableBuffer(bytes)
            client.write(head)
        } else {
            client.write(head)
            client.write(bytes)
        }
    }

    private func writePendingHead() {
        if let head = pendingHead.take() { client.write(head) }
    }

    private func relay(_ bytes: ByteBuffer, lastChunkEnd: Int) {
        if answer?.stripsChunking == true { return writePayload() }
        guard answer?.reader != nil, answer?.isChunked == true else { return write(bytes) }
        answer?.chunks.take(bytes, lastChunkEnd: lastChunkEnd) { write($0) }
    }

    private func writePayload() {
        guard let payload = answer?.payload, payload.readableBytes > 0 else { return }
        write(payload)
        answer?.payload = ByteBuffer()
    }

    private func finishRelay() {
        answer?.reader?.finish()
        readUsage()
        if answer?.reader == nil {
            if record.status < 400 { settle(.success) }
        } else {
            let (isDone, hasError) = (answer?.reader?.isDone == true, answer?.reader?.hasError == true)
            if plan?.route != nil, !isDone, !hasError, record.dialect.endsWithDone { return answerWasCut() }
            if hasError { record.error = "stream_error" }
            settle(hasError ? .failed(.upstreamFault) : .success)
        }
        if let tail = answer?.chunks.takeTail(), tail.readableBytes > 0 { write(tail) }
        writePendingHead()
        end(keepsAlive: answer?.keepsAlive ?? false)
    }

    private func readUsage() {
        guard isInspected, record.status < 300 else { return }
        if answer?.reader != nil {
            record.usage = answer?.reader?.usage
        } else if answer?.head.first(.contentEncoding) == nil, answer?.stripsChunking == false {
            record.usage = answer?.payload.withUnsafeReadableBytes { Usage.reading(answer: $0) }
        }
    }

    /// The upstream broke off while its answer was being relayed.
    ///
    /// Nothing is ever presented as complete that is not: a stream ends with an error event and no `[DONE]`, any
    /// other answer with a broken connection.
    func answerWasCut() {
        guard let answer else { return }
        observeAttempt(outcome: Label(FailureClass.upstreamFault.rawValue))
        settle(.failed(.upstreamFault))
        record.error = "answer_cut"
        guard answer.reader != nil, answer.isChunked, answer.chunks.endsAtEvent, !answer.stripsChunking else {
            breakOff()
            return
        }
        let event = ErrorAnswer(
            .upstreamBroke(upstream: attempt?.upstream.name ?? ""),
            dialect: record.dialect
        ).event
        var out = ByteBuffer(string: String(event.count, radix: 16))
        out.writeStaticString("\r\n")
        out.writeBytes(event)
        out.writeStaticString("\r\n0\r\n\r\n")
        write(out)
        end(keepsAlive: answer.keepsAlive)
    }

    /// Ends the connection in the middle of an answer, so that the client sees that it is not complete.
    private func breakOff() {
        writePendingHead()
        client.flush()
        client.close()
    }

    /// What the client is told about its request in header fields.
    var notes: AnswerNotes {
        guard isInspected, failover != nil else { return AnswerNotes(requestID: record.id) }
        let upstream = attempt.map { (NIODeadline.now() - $0.sent).nanoseconds } ?? 0
        return AnswerNotes(
            requestID: record.id,
            model: record.model,
            attempts: failover?.attemptsHeader ?? "",
            route: plan?.route,
            clip: clipReceipt,
            overhead: record.overhead,
            upstream: upstream
        )
    }

    var takesMore: Bool { client.isWritable }

    func clientBecameWritable() {
        attempt?.connection?.resumeReading()
    }

    /// The client sends no more: finds out whether it still reads.
    ///
    /// Only before the answer has begun; from then on the answer's own bytes tell.
    func probeClient() {
        if answer?.isRelaying != true, head.minorVersion == 1 { client.writeContinue() }
    }
}

/// Upgraded connections: bytes pass both ways, unread.
extension Exchange {
    var isTunnel: Bool { answer?.mode == .tunnel }

    private func openTunnel() {
        guard let answer else { return }
        record.status = answer.head.status
        let written = ClientResponseHead(
            head: answer.head,
            bytes: answer.bytes,
            keepsAlive: true,
            isForHTTP10: false,
            notes: notes
        )
        client.write(written.written(roomBehind: 0))
        client.flush()
        client.switchToTunnel()
    }

    /// Bytes from the upstream.
    func tunnelReceived(_ bytes: ByteBuffer) {
        wasTouched = true
        record.bytesOut += bytes.readableBytes
        client.write(bytes)
    }

    /// Bytes from the client.
    func tunnelSent(_ bytes: ByteBuffer) {
        wasTouched = true
        record.bytesIn += bytes.readableBytes
        attempt?.connection?.write(bytes)
    }

    func tunnelInputClosed() {
        attempt?.connection?.closeOutput()
    }

    private func endTunnel() {
        end(keepsAlive: false)
    }
}

extension Dialect {
    /// Whether a complete stream ends with `data: [DONE]`.
    fileprivate var endsWithDone: Bool {
        self == .openAIChat || self == .completions
    }
}
