internal import NIOCore
internal import Policies
internal import Telemetry
internal import Wire

extension Exchange {
    /// Carries out what the failover decided.
    func perform(_ action: FailoverState.Action) {
        switch action {
        case .ask(let place, let mayRefuse, let hold):
            leaveAttempt(holdingAnswer: hold)
            ask(place, mayRefuse: mayRefuse)
        case .send(let place, let budget, let fresh, let hold):
            leaveAttempt(holdingAnswer: hold)
            prepare(place, budget: budget, onFreshConnection: fresh)
        case .wait(let delay, _, let hold):
            leaveAttempt(holdingAnswer: hold)
            wait(delay)
        case .relay:
            relayAnswer()
        case .relayHeld:
            relayHeldAnswer()
        case .answer(let own):
            refuse(error(for: own))
        case .breakOff:
            endBrokenAnswer()
        }
    }

    /// Lets go of all that an attempt which is over has left behind.
    private func leaveAttempt(holdingAnswer hold: Bool) {
        attempt?.abandonConnection()
        record.trace?.attemptEnded()
        patience.take()?.cancel()
        if hold { keepAnswer() }
        if let answer, answer.isSpliced { resumption?.earlierByteCount += answer.clientByteCount }
        answer = nil
        stopClock()
    }

    private func error(for own: FailoverState.OwnAnswer) -> SidecarError {
        let upstream = attempt?.upstream.name ?? plan?.attempts.first?.target.upstream ?? ""
        switch own {
        case .allOpen(let delay):
            // Rounded up: a client that comes back a moment early would be sent away again.
            return .allTargetsOpen(
                retryAfterSeconds: max(1, Int((delay + .milliseconds(999)).components.seconds))
            )
        case .badGateway(.unreachable):
            return attempt?.upstream.settings.hop.map { .hopFailed(hop: $0) }
                ?? .upstreamUnreachable(upstream: upstream)
        case .badGateway: return .upstreamBroke(upstream: upstream)
        case .gatewayTimeout: return .upstreamTimedOut(upstream: upstream, waitedFor: "answer")
        case .promptTooLong(let tokens, let budget): return .contextExceeded(tokens: tokens, budget: budget)
        case .notVouched: return .notVouched(upstream: upstream)
        }
    }

    // MARK: - Admission

    private func ask(_ place: Int, mayRefuse: Bool) {
        guard let plan else { return }
        let target = plan.attempts[place].target
        let named = reversePath == nil ? snapshot.upstream(named: target.upstream) : self.upstream
        guard let upstream = named else {
            return refuse(.noUpstream(listener: client.listener.name.rawValue))
        }
        attempt = OngoingAttempt(place: place, target: target, upstream: upstream)
        clipReceipt = nil
        record.countedTokens = nil
        guard plan.route != nil else { return prepare(place, budget: nil, onFreshConnection: false) }
        let admission = loop.shared.memory.breakers.admit(
            target,
            variant.configuration.policies.breaker,
            mayRefuse: mayRefuse
        )
        switch admission {
        case .pass(let ticket): attempt?.ticket = ticket
        case .probe(let ticket):
            attempt?.ticket = ticket
            attempt?.isProbe = true
        case .refuse: break
        }
        let from = target
        act { $0.admitted(admission, at: .now) }
        noteMove(from: from, reason: "open")
    }

    /// Lets the time pass that a target asked for; the client waits less than for another model.
    private func wait(_ delay: Duration) {
        // The try that failed has had its verdict; the next one belongs to no period of the breaker.
        attempt?.ticket = .late
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        patience = loop.eventLoop.scheduleTask(in: TimeAmount(delay)) {
            // Cancelled when the request ends or goes on in another way.
            bound.value.act { $0.waited() }
        }
    }

    /// Tells the failover what happened, and carries out what follows.
    ///
    /// A ticket gets its verdict when its attempt is over: at the action that follows, unless that sends again.
    func act(verdict: CircuitBreaker.Outcome? = nil, _ event: (inout FailoverState) -> FailoverState.Action) {
        guard let failover else { return }
        let action = event(&failover.state)
        if case .send = action {} else if let verdict { settle(verdict) }
        perform(action)
    }

    /// Gives the attempt's ticket back, once.
    func settle(_ outcome: CircuitBreaker.Outcome) {
        guard let ticket = attempt?.ticket.take(), let target = attempt?.target else { return }
        guard let change = loop.shared.memory.breakers.record(outcome, for: ticket, target) else { return }
        loop.breakerChanged(change, target, because: outcome.reason)
    }

    /// Counts a move from one target to the next.
    func noteMove(from: Target, reason: String) {
        guard let to = attempt?.target, to != from else { return }
        loop.observeMove(from: from, to: to, reason: reason, snapshot: snapshot)
    }

    // MARK: - Dispatch

    func connect(fresh: Bool) {
        guard let upstream = attempt?.upstream else { return }
        traceAttempt()
        let pool = loop.pool(for: upstream)
        if !fresh, let connection = pool.take(canRepeat: !isStreamed) { return upstreamConnected(connection) }
        let awaited = AwaitedConnection(for: self)
        attempt?.awaited = awaited
        pool.connect(
            for: awaited,
            timeout: TimeAmount(timeouts.connect),
            after: attempt?.triedRungs ?? []
        )
    }

    /// A connection is there.
    func upstreamConnected(_ connection: UpstreamHandler) {
        attempt?.awaited = nil
        attempt?.connection = connection
        attempt?.road = connection.road
        record.trace?.connected(by: connection.road)
        attempt?.sent = .now()
        startClock()
        let body = isStreamed ? nil : attempt?.body
        let small = body.flatMap { $0.readableBytes <= 8192 ? $0 : nil }
        var head = upstreamHead(bodyCount: body?.readableBytes, roomBehind: small?.readableBytes ?? 0)
        if let small { head.writeImmutableBuffer(small) }
        record.upstreamBytesOut += body?.readableBytes ?? 0
        connection.send(head, body: small == nil ? body : nil, for: self)
        for part in waitingBody { connection.write(part) }
        waitingBody = []
        client.resumeReading()
        countForComparison()
    }

    private func upstreamHead(bodyCount: Int?, roomBehind: Int) -> ByteBuffer {
        guard let attempt else { return ByteBuffer() }
        if let reversePath {
            return ReversePathHead(head: head, bytes: headBytes, path: reversePath)
                .written(roomBehind: roomBehind)
        }
        let settings = attempt.upstream.settings
        let isReframed = attempt.isEdited || head.framing == .chunked
        let isMatched = plan?.route != nil
        let forbidsRetries =
            isMatched && settings.kind == .litellm && attempt.place != (plan?.attempts.count ?? 0) - 1
        if settings.kind == .openai || settings.bearer != nil {
            return ForeignRequestHead(
                head: head,
                bytes: headBytes,
                url: settings.url,
                dialect: record.dialect,
                bearer: settings.bearer,
                passesCredentials: settings.bearer == nil && settings.name == upstream?.name,
                requestID: record.id,
                traceID: record.traceID,
                traceParent: record.trace?.outgoing,
                isLiteLLM: settings.kind == .litellm,
                forbidsRetries: forbidsRetries,
                bodyCount: isReframed ? bodyCount : nil
            ).written(roomBehind: roomBehind)
        }
        var written = UpstreamRequestHead(
            head: head,
            bytes: headBytes,
            url: settings.url,
            clientAddress: client.address,
            requestID: record.id,
            traceID: record.traceID,
            traceParent: record.trace?.outgoing
        )
        if isReframed { written.bodyCount = bodyCount }
        written.asksForIdentity = isMatched || linksAnswers
        written.forbidsRetries = forbidsRetries
        return written.written(roomBehind: roomBehind)
    }

    /// Sends a piece of a streamed body on.
    func passOn(_ bytes: ByteBuffer) {
        record.upstreamBytesOut += bytes.readableBytes
        if let connection = attempt?.connection { connection.write(bytes) } else { waitingBody.append(bytes) }
    }

    /// Whether more of the request's body may be read.
    var takesMoreBody: Bool {
        guard isStreamed || isTunnel else { return room?.isGranted ?? true }
        return attempt?.connection?.isWritable ?? false
    }

    /// Whether nothing of this request is still to be sent on the upstream connection.
    var requestIsSent: Bool { !isStreamed || isBodyComplete }

    func upstreamBecameWritable() {
        client.resumeReading()
    }

    // MARK: - Failure

    /// The upstream failed before its answer was complete.
    func upstreamFailed(_ failure: UpstreamFailure) {
        guard !isOver else { return }
        attempt?.awaited = nil
        attempt?.connection = nil
        if answer?.isRelaying == true { return answerWasCut() }
        if answersForHop(failure) { return }
        if failure == .noSocket { return refuse(.noDescriptors) }
        let event: FailoverState.Failure =
            switch failure {
            case .connectFailed, .noSocket: .unconnected
            case .closed(beforeFirstByte: true, wasReused: true) where !isStreamed: .unconnected
            case .connectTimedOut, .hopFailed: .unanswered(.unreachable)
            case .closed, .malformed: .unanswered(.upstreamFault)
            }
        attemptFailed(event, delay: nil)
    }

    /// A time limit of the request has passed.
    func timedOut() {
        if mediaRequest != nil { return clientStalled() }
        let isRelaying = answer?.isRelaying == true
        attempt?.abandonConnection()
        if isRelaying, !client.isWritable { return clientStalled() }
        if isRelaying { return answerWasCut(by: .timeout) }
        guard isOutOfTime else { return attemptFailed(.unanswered(.timeout), delay: nil) }
        // Who was asked last may have had no time to answer: it is not to blame.
        let hadTime = attempt?.sent.map { NIODeadline.now() - $0 > TimeAmount(timeouts.total / 2) } ?? false
        observeAttempt(outcome: Label(FailureClass.timeout.rawValue))
        act(verdict: hadTime ? .failed(.timeout) : .withoutVerdict) { $0.ranOutOfTime() }
    }

    /// Tells failover, breaker and figures of a failed attempt.
    func attemptFailed(_ failure: FailoverState.Failure, delay: Duration?) {
        guard let from = attempt?.target else { return }
        observeAttempt(outcome: Label(failure.failureClass.rawValue))
        let isStillAdmitted =
            attempt?.ticket.map { loop.shared.memory.breakers.isCurrent($0, of: from) } ?? true
        act(verdict: .failed(failure.failureClass, statedDelay: delay)) {
            $0.failed(failure, statedDelay: delay, isStillAdmitted: isStillAdmitted)
        }
        noteMove(from: from, reason: failure.failureClass.rawValue)
    }

    func observeAttempt(outcome: Label) {
        record.trace?.judged(outcome)
        guard isInspected, let target = attempt?.target else { return }
        answer?.hasOutcome = true
        loop.observeAttempt(target, of: variant, outcome: outcome, snapshot: snapshot)
    }
}
