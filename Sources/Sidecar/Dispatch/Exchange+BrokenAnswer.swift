internal import NIOCore
internal import Policies
internal import Telemetry
internal import Wire

/// Answers of which the client has a part and that do not come to their end.
extension Exchange {
    /// The upstream broke off while its answer was being relayed.
    func answerWasCut(by failure: FailureClass? = nil) {
        if let failure { answer?.cut = failure }
        guard let answer, !endEvents(as: .cut), !goesOnElsewhere(after: answer.cut) else { return }
        failover?.state.noteCut(answer.cut)
        observeAttempt(outcome: Label(answer.cut.rawValue))
        answer.isConfirmed = true
        settle(.failed(answer.cut))
        endBrokenAnswer()
    }

    /// Ends an answer of which the client has a part.
    ///
    /// Nothing is ever presented as complete that is not: a stream ends with an error event and no `[DONE]`, any
    /// other answer with a broken connection.
    func endBrokenAnswer() {
        record.error = record.error ?? (resumption?.errorEvent == nil ? "answer_cut" : "stream_error")
        guard endsWithWholeEvent else { return breakOff() }
        let event =
            resumption?.errorEvent
            ?? ErrorAnswer(
                .upstreamBroke(upstream: attempt?.upstream.name ?? ""),
                dialect: record.dialect
            ).event
        record.bytesOut += event.count
        var out = ByteBuffer(string: String(event.count, radix: 16))
        out.writeStaticString("\r\n")
        out.writeBytes(event)
        out.writeStaticString("\r\n0\r\n\r\n")
        write(out)
        end(keepsAlive: resumption?.keepsAlive ?? answer?.keepsAlive ?? false)
    }

    /// Whether an event of our own can follow what the client has.
    private var endsWithWholeEvent: Bool {
        if let resumption, resumption.hasBegun { return resumption.endsAtEvent }
        guard let answer else { return false }
        return answer.reader != nil && answer.isChunked && answer.endsAtEvent && !answer.stripsChunking
    }

    /// The client has taken nothing of its answer for as long as an upstream may be idle.
    func clientStalled() {
        record.error = "client_stalled"
        settle(.withoutVerdict)
        breakOff()
    }

    /// Ends the connection in the middle of an answer, so that the client sees that it is not complete.
    private func breakOff() {
        writePendingHead()
        client.flush()
        // Where the end of the connection is the end of the answer, only a reset says that it is not.
        let endsByClosing = answer?.stripsChunking == true || answer?.head.framing == .untilClose
        if endsByClosing { client.reset() } else { client.close() }
    }
}
