internal import NIOCore
internal import Policies
internal import Telemetry
internal import Wire

/// Going on with a streamed answer that broke off: the next target's answer is spliced behind it.
///
/// From the first token on the request is kept until the answer is whole, since it may have to be sent again.
extension Exchange {
    /// Whether the client has the start of an answer that may be gone on with.
    var hasBegunAnswer: Bool { resumption?.hasBegun == true }

    /// An answer begins: decides whether it goes through a splice.
    ///
    /// - Returns: whether it can be used; what follows otherwise is under way.
    func splice(_ answer: OngoingAnswer) -> Bool {
        guard let resumption, resumption.hasBegun else {
            resumption = mayBreakOff(answer) ? Resumption() : nil
            resumption?.events = answer.events
            if resumption != nil { goesThroughSplice(answer) }
            return true
        }
        guard answer.mode != .holdingError else { return true }
        guard answer.reader != nil, let attempt else {
            attemptFailed(.unanswered(.upstreamFault), delay: nil)
            return false
        }
        let notice = RestartNotice.text(model: attempt.target.model)
        resumption.splice.begin(attempt.prefill == nil ? .startOver(notice: notice) : .goOn)
        answer.events = resumption.events
        goesThroughSplice(answer)
        return true
    }

    private func goesThroughSplice(_ answer: OngoingAnswer) {
        answer.isSpliced = true
        answer.linkedCount = 0
    }

    /// Whether somebody is left who could go on with the answer, and could do so unnoticed.
    private func mayBreakOff(_ answer: OngoingAnswer) -> Bool {
        guard variant.configuration.stream.onCut == .resume, record.dialect == .openAIChat,
            answer.reader != nil, answer.isChunked, !answer.stripsChunking,
            let plan, plan.route != nil, let place = attempt?.place, place + 1 < plan.attempts.count,
            let conversation = decision?.request.conversation
        else { return false }
        return body.withUnsafeReadableBytes { conversation.allowsSplicedAnswer(in: $0) }
    }

    // MARK: - Relay

    func holdSpliced() {
        guard let answer, let resumption else { return }
        resumption.held.writeBytes(
            answer.takePayload().withUnsafeReadableBytes { resumption.splice.take($0) }
        )
    }

    /// The head of the answer is out: what was held follows.
    ///
    /// - Returns: false when the answer has broken off meanwhile.
    func beginSplicedRelay() -> Bool {
        guard let answer, answer.isSpliced, let resumption else { return true }
        resumption.hasBegun = true
        resumption.keepsAlive = answer.keepsAlive
        let held = resumption.held
        resumption.held = ByteBuffer()
        pass(held)
        relaySpliced()
        return self.answer === answer
    }

    /// Another attempt's answer follows the one that broke off.
    func goOnRelaying(model: String) {
        guard let answer, let resumption else { return }
        record.model = model
        answer.mode = .relaying
        answer.keepsAlive = resumption.keepsAlive
    }

    func relaySpliced() {
        guard let answer, let resumption else { return }
        pass(ByteBuffer(bytes: answer.takePayload().withUnsafeReadableBytes { resumption.splice.take($0) }))
        // What cannot be gone on with is not sent again either.
        if !resumption.splice.canContinue, decision != nil { releaseRequest() }
        guard resumption.splice.condition == .broken else { return }
        attempt?.abandonConnection()
        answerWasCut(by: failureOfEvent)
    }

    private func pass(_ events: ByteBuffer) {
        guard events.readableBytes > 0 else { return }
        guard let rewriting = answer?.events else { return writeEvents(events) }
        rewriting.take(events)
        claimAnswerRoom(for: rewriting.heldCount)
        passEvents()
    }

    /// The upstream's stream came to its proper end.
    ///
    /// - Returns: false when the answer is not whole; what follows is under way.
    func finishSplice() -> Bool {
        guard answer?.isSpliced == true, let resumption else { return true }
        pass(ByteBuffer(bytes: resumption.splice.end()))
        guard !resumption.splice.isWhole, !resumption.splice.hasGivenUp else { return true }
        answerWasCut(by: failureOfEvent)
        return false
    }

    var hasWholeSplice: Bool { answer?.isSpliced == true && resumption?.splice.isWhole == true }

    // MARK: - Another attempt

    /// The attempt's answer broke off: asks the next target to go on with it.
    ///
    /// - Returns: false when that cannot be, so that the answer ends here.
    func goesOnElsewhere(after failure: FailureClass) -> Bool {
        guard let answer, answer.isSpliced, let resumption, resumption.hasBegun else { return false }
        resumption.splice.brokeOff()
        if resumption.splice.isWhole {
            finishRelay()
            return true
        }
        resumption.errorEvent = resumption.errorEvent ?? resumption.splice.errorEvent
        guard resumption.splice.canContinue, !isOutOfTime, let from = attempt?.target else { return false }
        answer.isConfirmed = true
        record.figures.isResumed = true
        observeAttempt(outcome: Label(failure.rawValue))
        // Nobody else flushes: the connection that the events came by is not this request's any more.
        writePendingHead()
        client.flush()
        act(verdict: .failed(failure)) { $0.brokeOff(failure) }
        noteMove(from: from, reason: failure.rawValue)
        return true
    }

    /// What the event that broke the attempt says.
    private var failureOfEvent: FailureClass {
        guard let said = resumption?.splice.errorBody else { return .upstreamFault }
        let answer = Answer(
            eventMessage: said.message,
            type: said.type,
            code: said.code,
            hadOwnCredential: attempt?.upstream.settings.bearer != nil
        )
        return FailureTable.classify(answer) ?? .upstreamFault
    }

    /// What the attempt's target is given to go on from; nil when it is asked the same as the one before.
    var prefillOfAttempt: [UInt8]? {
        guard let resumption, resumption.hasBegun, let attempt, !attempt.refusesPrefill,
            variant.configuration.policies.rule(for: attempt.target.model)?.prefill == true,
            decision?.request.conversation?.endsWithAssistant == false
        else { return nil }
        let text = resumption.splice.prefill
        return text.isEmpty ? nil : text
    }

    /// Sends the same once more without the start of the answer, if the target would not have it.
    ///
    /// - Returns: whether it does.
    func repeatsWithoutPrefill(_ failure: FailureClass) -> Bool {
        guard let attempt, attempt.prefill != nil, failure == .callerFault else { return false }
        observeAttempt(outcome: Label(failure.rawValue))
        attempt.refusesPrefill = true
        sendAgain(attempt)
        return true
    }

    /// The edits that take the notices of earlier answers out of the history.
    var noticeRemovals: [Splice] {
        guard variant.configuration.stream.onCut == .resume, record.dialect == .openAIChat,
            let conversation = decision?.request.conversation
        else { return [] }
        return body.withUnsafeReadableBytes { RestartNotice.removals(from: conversation, in: $0) }
    }
}
