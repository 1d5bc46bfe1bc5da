internal import Egress
internal import NIOCore
internal import Policies
internal import Wire

/// What the road to the upstream has to do with a request.
///
/// A rung that fails is not the model's failure: the next one is taken, and only when none is left the attempt fails.
extension Exchange {
    /// Says by which road the request went.
    func noteRoad() {
        guard let road = attempt?.road else { return }
        record.road = (road.hop.name, road.rung.label)
    }

    /// The road broke before the answer began.
    ///
    /// - Returns: whether that is all that is to be done about it.
    func answersForHop(_ failure: UpstreamFailure) -> Bool {
        switch failure {
        case .hopFailed(let fault): return hopFailed(by: fault)
        case .closed(beforeFirstByte: true, wasReused: false): return leavesSilentRung()
        case .closed, .malformed, .connectFailed, .connectTimedOut, .noSocket: return false
        }
    }

    private func hopFailed(by fault: RoadFault) -> Bool {
        if let blocked = attempt?.blockedAnswer.take() {
            answer = blocked
            relayBlock()
            return true
        }
        guard reversePath != nil, fault == .privateAddress else { return false }
        refuse(.hostNotServed)
        return true
    }

    /// A proxy that knows of no failure but closing has closed: what it stood for is asked for by the next rung.
    private func leavesSilentRung() -> Bool {
        guard let attempt, let road = attempt.road, !road.isSettled else { return false }
        road.failed(by: .closed)
        guard !isStreamed else { return false }
        attempt.triedRungs.append(road.rung)
        stopClock()
        connect(fresh: true)
        return true
    }

    // MARK: - Blocked regions

    /// Whether an answer that nobody reads is held, since it may say that the rung comes out at the wrong place.
    ///
    /// The statuses are those of ``FailureTable`` for a block; what is compressed cannot be read.
    func mayTellOfBlock(_ head: ResponseHead) -> Bool {
        attempt?.road != nil && (400...403).contains(head.status) && head.first(.contentEncoding) == nil
    }

    func relayUnlessBlocked(_ said: Answer) {
        if FailureTable.classify(said) == .regionBlocked, leavesBlockedRung() { return }
        accept()
    }

    /// The provider does not serve the place that the rung comes out at: the request is sent once by another.
    ///
    /// - Returns: whether it is.
    func leavesBlockedRung() -> Bool {
        guard let attempt, let road = attempt.road, let answer else { return false }
        let isFirst = attempt.blockedAnswer == nil && !attempt.hasLeftBlockedRung
        road.wasBlocked()
        loop.pool(for: attempt.upstream).leave(road.rung)
        guard isFirst, !isStreamed, answer.isComplete, road.hop.state.entries.count > 1 else { return false }
        attempt.abandonConnection()
        attempt.hasLeftBlockedRung = true
        attempt.blockedAnswer = answer
        attempt.triedRungs.append(road.rung)
        self.answer = nil
        stopClock()
        connect(fresh: false)
        return true
    }

    /// No other rung led to the provider: its refusal is the answer after all.
    private func relayBlock() {
        guard isInspected else { return accept() }
        attemptFailed(.answered(.regionBlocked, status: answer?.head.status ?? 400), delay: nil)
    }
}
