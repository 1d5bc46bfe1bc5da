internal import NIOCore
internal import Policies
internal import Telemetry
internal import Wire

/// Passing an answer on to the client, to its end or to the point where it broke off.
extension Exchange {
    /// Pieces up to this size are copied behind the head, which is cheaper than a second piece in the write.
    static let smallWrite = 2048

    /// The answer is one that the client gets.
    func accept() {
        noteListedModel()
        noteStatedCost()
        noteKeptPrefix()
        settleExhausted()
        answer?.move = move
        // A stream may still fail before its first token; then it was none.
        if answer?.waitsForFirstToken != true { confirm() }
        act { $0.answered() }
    }

    /// The target has answered: told to breaker and memory, once.
    func confirm() {
        guard let answer, !answer.isConfirmed else { return }
        answer.isConfirmed = true
        // A probe's verdict is known now; waiting for the end of a long stream would keep everybody else away.
        if attempt?.isProbe == true { settle(.success) }
        guard let move = answer.move else { return }
        loop.shared.memory.answered(
            move.place,
            move.change,
            wasThere: move.wasThere,
            stay: variant.configuration.policies.fallback.sticky
        )
    }

    /// What the answer makes of its conversation's place; nil where nothing changes.
    private var move: OngoingAnswer.Move? {
        guard let decision, let target = attempt?.target,
            let conversation = decision.request.facts.conversation
        else { return nil }
        let plan = decision.plan
        let change = plan.stickiness(afterAnswerFrom: target, decision.request.facts)
        if change == .none || (change == .returned && loop.shared.memory.isEmpty) { return nil }
        return .init(
            place: .init(conversation: conversation, primary: plan.attempts[plan.primaryPlace].target),
            change: change,
            wasThere: plan.isSticky
        )
    }

    /// An answer can be good and say that it was the last for a while: the breaker then acts before the first 429.
    private func settleExhausted() {
        guard plan?.route != nil, attempt?.ticket != nil, let answer else { return }
        let delay = answer.bytes.withUnsafeReadableBytes { raw -> Duration? in
            guard answer.head.fields.mayStateExhaustion(in: raw) else { return nil }
            // Only what tells of the limits: a `retry-after` of a good answer says something else.
            let names = RetryDelay.headerNames.filter { $0.contains("ratelimit") }
            let headers = answer.head.fields.values(of: Set(names), in: raw)
            return RetryDelay.stated(headers: { headers[$0] }, message: "", now: Clock.epochSeconds())
        }
        if let delay { settle(.exhausted(for: delay)) }
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
        attempt?.abandonConnection()
        guard let held = heldAnswer.take() else {
            // It was too large to be kept.
            return refuse(.upstreamBroke(upstream: attempt?.upstream.name ?? ""))
        }
        answer = held.answer
        clipReceipt = nil
        startRelay(model: held.model)
    }

    /// Writes the head and goes on to pass the body.
    private func startRelay(model: String) {
        guard let head = answer?.head else { return }
        if hasBegunAnswer { return goOnRelaying(model: model) }
        record.status = head.status
        record.model = model
        let isHTTP10 = self.head.minorVersion == 0
        if answer?.document != nil { answer?.stripsChunking = false }
        let stripsChunking = answer?.stripsChunking == true
        let keepsAlive =
            self.head.keepsAlive && isBodyComplete && !stripsChunking && head.framing != .untilClose
        answer?.keepsAlive = keepsAlive && !loop.isDraining
        answer?.mode = .relaying
        writeHead(isForHTTP10: isHTTP10)
        if answer?.isSpliced != true { releaseRequest() }
        if answer?.reader != nil, answer?.countsAsStream == false {
            answer?.countsAsStream = true
            loop.metrics.add(.streamsOpen, .none, 1)
        }
        if stripsChunking { writePayload() }
        guard beginSplicedRelay() else { return }
        passEvents()
        if answer?.isComplete == true { finishRelay() }
    }

    private func writeHead(isForHTTP10: Bool) {
        guard let answer else { return }
        let head = ClientResponseHead(
            head: answer.head,
            bytes: answer.bytes,
            keepsAlive: answer.keepsAlive,
            isForHTTP10: isForHTTP10,
            notes: notes,
            bodyCount: answer.document?.readableBytes
        )
        write(head, before: answer.document ?? answer.raw, stripped: answer.stripsChunking)
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
    func write(_ bytes: ByteBuffer) {
        guard var head = pendingHead.take() else { return client.write(bytes) }
        if bytes.readableBytes <= Self.smallWrite {
            head.writeImmutableBuffer(bytes)
            client.write(head)
        } else {
            client.write(head)
            client.write(bytes)
        }
    }

    func writePendingHead() {
        if let head = pendingHead.take() { client.write(head) }
    }

    func relay(_ bytes: ByteBuffer, lastChunkEnd: Int) {
        if answer?.stripsChunking == true { return writePayload() }
        if answer?.isSpliced == true { return relaySpliced() }
        if let answer, let events = answer.events {
            events.take(answer.takePayload())
            claimAnswerRoom(for: events.heldCount)
            return passEvents()
        }
        guard answer?.reader != nil, answer?.isChunked == true else { return write(bytes) }
        answer?.chunks.take(bytes, lastChunkEnd: lastChunkEnd) { write($0) }
    }

    private func writePayload() {
        guard let payload = answer?.payload, payload.readableBytes > 0 else { return }
        write(payload)
        answer?.payload = ByteBuffer()
    }

    func finishRelay() {
        guard finishSplice() else { return }
        if endEvents(as: .complete) { return }
        answer?.reader?.finish()
        readUsage()
        if answer?.reader == nil {
            if record.status < 400 { settle(.success) }
        } else {
            let isWhole = hasWholeSplice
            let isDone = isWhole || answer?.reader?.isDone == true
            let hasError = !isWhole && answer?.reader?.hasError == true
            if plan?.route != nil, !isDone, !hasError, record.dialect.endsWithDone { return answerWasCut() }
            if hasError { record.error = "stream_error" }
            if hasError {
                observeAttempt(outcome: Label(FailureClass.upstreamFault.rawValue))
            } else {
                confirm()
            }
            settle(hasError ? .failed(.upstreamFault) : .success)
        }
        if answer?.isSpliced == true || answer?.events != nil && answer?.isChunked == true {
            write(ByteBuffer(staticString: "0\r\n\r\n"))
        } else if let tail = answer?.chunks.takeTail(), tail.readableBytes > 0 {
            write(tail)
        }
        writePendingHead()
        end(keepsAlive: answer?.keepsAlive ?? false)
    }

    /// Passes the last events on.
    ///
    /// - Returns: whether one of them is still being looked at; the end then follows it.
    func endEvents(as end: OngoingAnswer.End) -> Bool {
        guard let events = answer?.events else { return false }
        if end == .complete { events.end() }
        passEvents()
        if events.isRewriting { answer?.pendingEnd = end }
        return events.isRewriting
    }

    private func readUsage() {
        guard isInspected, record.status < 300 else { return }
        if answer?.reader != nil {
            record.usage = answer?.reader?.usage
        } else if answer?.head.first(.contentEncoding) == nil, answer?.stripsChunking == false {
            record.usage = answer?.payload.withUnsafeReadableBytes { Usage.reading(answer: $0) }
        }
    }

    /// What the client is told about its request in header fields.
    var notes: AnswerNotes {
        guard isInspected, failover != nil else {
            return AnswerNotes(requestID: record.id, images: record.images.text)
        }
        let upstream = attempt?.sent.map { (NIODeadline.now() - $0).nanoseconds } ?? 0
        return AnswerNotes(
            requestID: record.id,
            model: record.model,
            attempts: failover?.state.attemptsHeader ?? "",
            route: plan?.route,
            arm: variant.assignment?.arm,
            clip: clipReceipt,
            images: record.images.text,
            overhead: record.overhead,
            upstream: upstream
        )
    }

    var takesMore: Bool {
        client.isWritable && answer?.events?.isRewriting != true && answerRoom?.isGranted ?? true
    }

    func clientBecameWritable() {
        attempt?.connection?.resumeReading()
    }

    /// The client sends no more: finds out whether it still reads.
    ///
    /// Only before the answer has begun; from then on the answer's own bytes tell.
    func probeClient() {
        if answer?.isRelaying != true, !hasBegunAnswer, head.minorVersion == 1 { client.writeContinue() }
    }
}

extension Dialect {
    /// Whether a complete stream ends with `data: [DONE]`.
    fileprivate var endsWithDone: Bool {
        self == .openAIChat || self == .completions
    }
}

extension [HeaderField] {
    /// Whether a limit of the provider's is used up; only then its many headers are worth reading.
    fileprivate func mayStateExhaustion(in head: UnsafeRawBufferPointer) -> Bool {
        contains { field in
            guard field.header == .other, field.value.count == 1, head[field.value.lowerBound] == 0x30 else {
                return false
            }
            let suffix: StaticString = "-remaining"
            return field.name.count > suffix.utf8CodeUnitCount
                && head.slice(field.name.suffix(suffix.utf8CodeUnitCount)).equalsIgnoringCase(suffix)
        }
    }
}
