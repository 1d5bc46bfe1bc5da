internal import NIOCore
internal import Policies
internal import Wire

/// The way back: from the first byte of the upstream's answer to the last one to the client.
extension Exchange {
    /// The final head of a response is there.
    func responseStarted(_ head: ResponseHead, _ bytes: ByteBuffer) {
        guard !isOver else { return }
        record.trace?.answered(head.status)
        let answer = OngoingAnswer(head: head, bytes: bytes, mode: mode(for: head, bytes))
        answer.stripsChunking = self.head.minorVersion == 0 && head.framing == .chunked
        if isReadStream(head, bytes) { answer.reader = ChatStreamReader(dialect: record.dialect) }
        if linksEvents(of: answer) { answer.events = EventRewriting() }
        self.answer = answer
        wasTouched = true
        guard splice(answer) else { return }
        switch answer.mode {
        case .relaying: accept()
        case .tunnel: openTunnel()
        case .holdingError, .holdingStream, .holdingDocument: break
        }
    }

    private func linksEvents(of answer: OngoingAnswer) -> Bool {
        let head = answer.head
        // A length that is declared cannot be kept.
        if case .length = head.framing { return false }
        return linksAnswers && head.status < 300 && !answer.stripsChunking
            && head.first(.contentEncoding) == nil && isEventStream(head, answer.bytes)
    }

    private func mode(for head: ResponseHead, _ bytes: ByteBuffer) -> OngoingAnswer.Mode {
        if head.status == 101 { return .tunnel }
        if isDocumentToLink(head, bytes) { return .holdingDocument }
        guard isInspected else { return mayTellOfBlock(head) ? .holdingError : .relaying }
        if head.status >= 400 { return .holdingError }
        let isLast = attempt?.place == (plan?.attempts.count ?? 1) - 1
        return !isLast && !hasBegunAnswer && isReadStream(head, bytes) ? .holdingStream : .relaying
    }

    /// Whether the events of the answer are read: one that is compressed all the same passes unread.
    private func isReadStream(_ head: ResponseHead, _ bytes: ByteBuffer) -> Bool {
        isInspected && head.status < 300 && head.first(.contentEncoding) == nil && isEventStream(head, bytes)
    }

    private func isEventStream(_ head: ResponseHead, _ bytes: ByteBuffer) -> Bool {
        mediaType(of: head, bytes, is: "text/event-stream")
    }

    /// Reads a piece of the body with its framing taken off, before ``responseReceived(_:lastChunkEnd:)`` gets it whole.
    ///
    /// - Parameter scan: follows the framing and calls back with every run of payload.
    func readPayload(
        _ scan: ((UnsafeRawBufferPointer) -> Void) -> UpstreamState.BodyProgress
    ) -> UpstreamState.BodyProgress {
        guard let answer else { return scan { _ in } }
        if isInspected { record.figures.relay.begin() }
        var byteCount = 0
        let isRead = isInspected || answer.mode == .holdingError
        let collects = isRead && answer.collectsPayload || answer.takesPayload
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
        case .holdingStream: holdStream(bytes, lastChunkEnd: lastChunkEnd)
        case .holdingDocument: holdDocument(bytes)
        case .tunnel: break
        }
    }

    private func noteFirstToken() {
        guard let answer, !answer.hasFirstToken, answer.reader?.sawDelta == true else { return }
        answer.hasFirstToken = true
        if record.firstToken == nil { record.firstToken = .now() }
        if answer.isRelaying { confirm() }
    }

    /// The response is complete.
    func responseEnded() {
        guard !isOver else { return }
        defer { record.figures.relay.end() }
        attempt?.connection = nil
        answer?.isComplete = true
        switch answer?.mode {
        case .relaying: finishRelay()
        case .holdingError: errorIsComplete()
        case .holdingStream: judgeStream()
        case .holdingDocument: documentIsComplete()
        case .tunnel: endTunnel()
        case nil: break
        }
    }

    func upstreamReadCompleted() {
        record.figures.relay.end()
        guard answer?.isRelaying == true else { return }
        writePendingHead()
        client.flush()
    }

    // MARK: - Holding

    private func holdError(_ bytes: ByteBuffer) {
        answer?.raw.writeImmutableBuffer(bytes)
        if (answer?.raw.readableBytes ?? 0) > OngoingAnswer.maxHeldBytes { errorIsComplete() }
    }

    private func holdStream(_ bytes: ByteBuffer, lastChunkEnd: Int) {
        guard let answer, let reader = answer.reader else { return }
        if answer.isSpliced {
            holdSpliced()
        } else if let events = answer.events {
            events.take(answer.takePayload())
            claimAnswerRoom(for: events.heldCount)
        } else if answer.isChunked {
            answer.chunks.take(bytes, lastChunkEnd: lastChunkEnd) { answer.raw.writeImmutableBuffer($0) }
        } else {
            answer.raw.writeImmutableBuffer(bytes)
        }
        let heldCount = resumption?.held.readableBytes ?? answer.events?.heldCount ?? answer.raw.readableBytes
        if reader.sawDelta || reader.isDone || heldCount > OngoingAnswer.maxHeldBytes {
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
        fail(
            with: Answer(
                eventMessage: body.message,
                type: body.type,
                code: body.code,
                hadOwnCredential: spendsOwnCredential
            )
        )
    }

    /// An error answer is there, or as much of it as is held.
    private func errorIsComplete() {
        guard let answer else { return }
        let body = answer.payload.withUnsafeReadableBytes { ErrorBody.reading($0) }
        let text = body == nil ? String(buffer: answer.payload) : ""
        let said = Answer(
            status: answer.head.status,
            message: body.map { $0.message + $0.details } ?? text,
            type: body?.type ?? "",
            code: body?.code ?? "",
            requestHadCredential: hasCredential,
            hadOwnCredential: spendsOwnCredential
        )
        if isInspected { fail(with: said) } else { relayUnlessBlocked(said) }
    }

    /// Whether the upstream was called with a credential of the sidecar's own.
    private var spendsOwnCredential: Bool { attempt?.upstream.settings.bearer != nil }

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
        if repeatsInline(answer) { return }
        let failure = FailureTable.classify(answer) ?? .callerFault
        if failure == .regionBlocked, leavesBlockedRung() { return }
        if repeatsWithoutPrefill(failure) { return }
        if FailureTable.turnsClientAway(answer) { revokeVouching() }
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
        let headers = answer.bytes.withUnsafeReadableBytes {
            answer.head.fields.values(of: Set(RetryDelay.headerNames), in: $0)
        }
        return RetryDelay.stated(headers: { headers[$0] }, message: message, now: Clock.epochSeconds())
    }

    /// Keeps the answer that has just come: the client gets it if all others fail as well.
    func keepAnswer() {
        // A part of an answer cannot be kept: the rest went with its connection.
        guard let answer, answer.isComplete, let target = attempt?.target else { return }
        heldAnswer = HeldAnswer(answer: answer, model: target.model)
    }
}
