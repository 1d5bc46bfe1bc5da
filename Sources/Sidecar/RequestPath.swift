internal import NIOCore
internal import NIOPosix
internal import Policies
internal import Telemetry
internal import Wire

/// The life of one request, from the client's head to the last byte of the answer.
///
///     accept → classify → plan → transform → dispatch → relay → observe
///
/// Forward only; the one loop is over the attempts of the plan, and ``FailoverState`` decides its steps. This
/// file has the way down to the upstream, `Exchange+Dispatch` the attempts, `Exchange+Answer` and `Exchange+Relay`
/// the way back.
///
/// All of its state belongs to the connection's event loop, so it needs no lock and is not `Sendable`.
final class Exchange {
    /// Bodies of requests that are not inspected are held up to this size, so that they can be sent again.
    static let smallBody = 65_536
    /// From this size on the work that grows with a body is done beside the event loop.
    static let largeBody = 1 << 20

    unowned let client: ClientHandler
    let loop: LoopContext
    /// The configuration that this request started under; a reload changes nothing for it.
    let snapshot: Snapshot
    /// The settings that it goes by: the configuration's own, or those of an experiment's arm.
    var variant: Variant
    /// The upstream that the listener fronts.
    let upstream: UpstreamReference?
    /// Where the egress listener is asked to send it; nil for requests to others.
    let reversePath: ReversePath?
    let head: RequestHead
    /// Empty once the answer is under way: a slice keeps the whole receive buffer alive.
    var headBytes: ByteBuffer
    /// Whether the body is read before it is passed on.
    let isInspected: Bool
    /// Whether it is held for the sake of its images alone: no policy reads it.
    let readsBody: Bool
    /// Whether the body passes while it arrives.
    let isStreamed: Bool
    let record: RequestRecord

    var body = ByteBuffer()
    /// What is charged to the process-wide limit of buffered bytes.
    var heldBytes = 0
    /// Nil for a body that is small, or of unknown size.
    var room: BodyRoom.Claim?
    /// The same for bodies that images were put back into.
    var putBackRooms: [BodyRoom.Grant] = []
    /// The same for what is held of an answer.
    var answerRoom: BodyRoom.Claim?
    /// What is answered without any upstream.
    var mediaRequest: MediaRequest?
    /// Nil for a request that is not inspected, and once nothing can be sent again.
    var decision: Decision?
    var plan: Plan?
    var failover: Failover?
    var attempt: OngoingAttempt?
    var answer: OngoingAnswer?
    var heldAnswer: HeldAnswer?
    /// Nil where an answer that breaks off stays so.
    var resumption: Resumption?
    /// The answer's head until the first bytes of its body are there, or the read is over.
    var pendingHead: ByteBuffer?
    /// The wait that a target has asked for.
    var patience: Scheduled<Void>?
    var clipReceipt: ClipReceipt?
    var deadline = NIODeadline.distantFuture
    /// Whether bytes have passed since the time limits were last looked at.
    var wasTouched = false
    /// Whether the system would not give what the body needs.
    var lacksMemory = false
    var isBodyComplete = false
    var isOver = false
    /// Parts of a streamed body that arrived before there was a connection.
    var waitingBody: [ByteBuffer] = []

    init(client: ClientHandler, head: RequestHead, headBytes: ByteBuffer) {
        self.client = client
        self.head = head
        self.headBytes = headBytes
        loop = client.loop
        snapshot = loop.snapshot
        variant = snapshot.base
        let listener = client.listener
        let reversePath =
            listener.name == .egress
            ? ReversePath(head, headBytes, snapshot.configuration.egress) : nil
        self.reversePath = reversePath
        upstream = reversePath?.upstream ?? snapshot.upstream(of: listener.name)
        let dialect = headBytes.withUnsafeReadableBytes { raw in
            raw.slice(head.method).equals("POST")
                ? Dialect.of(path: raw.slice(head.target)) : .other
        }
        isInspected =
            upstream?.kind != .dify && listener.name != .egress && dialect.isInspected && !head.isUpgrade
        readsBody = !isInspected && snapshot.readsImages(of: dialect, head, headBytes, on: listener.name)
        let mostHeld = listener.name == .egress ? Self.largeBody : Self.smallBody
        isStreamed = !isInspected && !readsBody && !head.framing.isAtMost(mostHeld)
        let ids = TraceIDs(head: head, bytes: headBytes, made: loop.random.next())
        record = RequestRecord(
            id: ids.request,
            traceID: ids.trace,
            listener: listener,
            dialect: dialect,
            started: client.readBegan
        )
        record.host = reversePath?.host
        startTrace()
    }

    /// Whether the answer has no body (RFC 9110, section 9.3.2).
    var isHEAD: Bool {
        headBytes.withUnsafeReadableBytes { $0.count > 4 && $0.slice(head.method).equals("HEAD") }
    }

    // MARK: - Accept

    /// The head is complete and strict.
    func accepted() {
        if passedHereBefore { return refuse(.loop) }
        if let reversePath, reversePath.upstream == nil { return refuse(.hostNotServed) }
        takeMediaRequest()
        // Nothing is uploaded here: a request with a body is refused before it is read.
        if let mediaRequest, !isBodyComplete, head.framing != .none { return serve(mediaRequest) }
        if isInspected || readsBody, case .length(let count) = head.framing,
            count > variant.configuration.limits.maxBodyBytes
        {
            return refuse(.bodyTooLarge(limitBytes: variant.configuration.limits.maxBodyBytes))
        }
        if isStreamed { decide() } else { claimRoom() }
    }

    /// The body is complete.
    func bodyEnded() {
        isBodyComplete = true
        if let mediaRequest { return serve(mediaRequest) }
        if !isStreamed { decide() }
    }

    // MARK: - Classify and plan

    private func decide() {
        guard let upstream else {
            return refuse(.noUpstream(listener: client.listener.name.rawValue))
        }
        guard isInspected else { return begin(passThrough(upstream)) }
        let subject = subject(upstream)
        let context = loop.shared.decisionContext(snapshot)
        let began = NIODeadline.now()
        record.figures.accept += (began - client.readBegan).nanoseconds
        besideLoopIfLarge({ Decision(subject, in: context) }) { exchange, decision in
            exchange.record.planned(in: (NIODeadline.now() - began).nanoseconds)
            exchange.begin(exchange.plan(by: decision, upstream))
        }
    }

    /// Does work that grows with the body: of a large one beside the event loop, whose other clients would wait.
    @inline(__always)
    func besideLoopIfLarge<Value: Sendable>(
        _ work: @escaping @Sendable () -> Value,
        then goOn: @escaping (Exchange, Value) -> Void
    ) {
        guard body.readableBytes >= Self.largeBody else { return goOn(self, work()) }
        NIOThreadPool.singleton.runIfActive(eventLoop: loop.eventLoop, work).assumeIsolated()
            .whenSuccess { value in
                if !self.isOver { goOn(self, value) }
            }
    }

    private func begin(_ plan: Plan) {
        self.plan = plan
        record.route = plan.route
        record.plan = plan
        failover = Failover(FailoverState(plan, fallback: variant.configuration.policies.fallback))
        act { $0.start() }
    }

    private func passThrough(_ upstream: UpstreamReference) -> Plan {
        if readsBody { record.requestedModel = statedModel }
        let target = Target(model: record.requestedModel, upstream: upstream.name)
        return Plan(route: nil, Attempt(target: target, isForeign: false))
    }

    private func subject(_ upstream: UpstreamReference) -> Decision.Subject {
        Decision.Subject(
            dialect: record.dialect,
            head: head,
            headBytes: headBytes,
            body: body,
            id: record.id,
            upstream: upstream.name
        )
    }

    /// - Parameter decision: nil for a body that was not understood.
    private func plan(by decision: Decision?, _ upstream: UpstreamReference) -> Plan {
        guard let decision else {
            loop.bodyWasNotUnderstood(record.dialect)
            return passThrough(upstream)
        }
        self.decision = decision
        variant = decision.variant
        record.note(decision)
        return decision.plan
    }

    // MARK: - The end

    /// Ends the request with an error of the sidecar's own, if nothing of an answer is out yet.
    func refuse(_ error: SidecarError) {
        guard !isOver else { return }
        record.error = error.label
        if hasBegunAnswer { return endBrokenAnswer() }
        guard answer?.isRelaying != true else { return client.close() }
        record.status = error.status
        let keepsAlive = isBodyComplete && head.keepsAlive && error.leavesConnectionUsable
        let said = ErrorAnswer(error, dialect: record.dialect)
        if !isHEAD { record.bytesOut += said.body.count }
        client.write(said.response(keepsAlive: keepsAlive, notes: notes, toHEAD: isHEAD))
        end(keepsAlive: keepsAlive)
    }

    /// The client has gone.
    func clientLeft() {
        guard !isOver else { return }
        if record.status == 0 { record.status = 499 }
        record.error = record.error ?? "client_left"
        release(verdict: .withoutVerdict)
    }

    /// The answer is out.
    func end(keepsAlive: Bool) {
        guard !isOver else { return }
        release(verdict: .withoutVerdict)
        client.exchangeEnded(keepsAlive: keepsAlive)
    }

    private func keepReceipt() {
        record.clip = clipReceipt.map(ClipFigures.init)
        let dropped = record.images[.dropped]
        guard clipReceipt != nil || dropped > 0, record.status > 0, let target = attempt?.target else {
            return
        }
        loop.shared.receipts.keep(
            Receipt(clipReceipt, imagesDropped: dropped, requestID: record.id, target: target)
        )
    }

    /// Observes the request and lets go of everything it holds.
    private func release(verdict: CircuitBreaker.Outcome) {
        isOver = true
        noteRoad()
        noteFigures()
        settle(verdict)
        keepReceipt()
        patience.take()?.cancel()
        attempt.take()?.abandonConnection()
        releaseRequest()
        releaseAnswerRoom()
        if hasBegunAnswer || answer?.countsAsStream == true { loop.metrics.add(.streamsOpen, .none, -1) }
        if let answer, answer.isRelaying { record.bytesOut += answer.clientByteCount }
        record.bytesOut += resumption?.earlierByteCount ?? 0
        if isInspected, let failover { record.outcomes = failover.state.outcomes }
        loop.observe(record, snapshot: snapshot, variant: variant)
    }
}

@available(*, unavailable)
extension Exchange: Sendable {}

extension Dialect {
    /// The dialects whose bodies are read; the others pass through and are labelled.
    var isInspected: Bool {
        switch self {
        case .openAIChat, .completions, .embeddings: true
        default: false
        }
    }
}

extension BodyFraming {
    fileprivate func isAtMost(_ limit: Int) -> Bool {
        switch self {
        case .none: true
        case .length(let count): count <= limit
        case .chunked, .untilClose: false
        }
    }
}
