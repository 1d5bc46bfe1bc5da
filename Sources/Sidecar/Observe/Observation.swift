internal import NIOCore
internal import Policies
internal import Telemetry
internal import Wire

extension LoopContext {
    /// Puts a finished request into the figures and the log.
    func observe(_ record: RequestRecord, snapshot: Snapshot, variant: Variant) {
        let ended = NIODeadline.now()
        let model = model(record.model, of: variant)
        let labels = RecordLabels(record, model, snapshot, variant)
        metrics.add(.requests, labels.request)
        addTimes(of: record, labels, ended: ended)
        bodyBytes.add(record)
        addImages(of: record)
        addTokens(of: record, labels, model)
        if let clip = record.clip { add(clip, labels) }
        if record.trace != nil { addSpans(of: record, snapshot: snapshot, ended: ended) }
        if snapshot.configuration.log.level.admits(record.status >= 500 ? .error : .info) {
            log.append { record.appendLine(to: &$0, ended: ended) }
        }
        recentRequests.keep(record, ended: ended)
    }

    /// Puts a connection that was refused before there was a request into the figures.
    ///
    /// - Returns: the id under which it is logged.
    func observeRefusal(_ error: SidecarError, listener: ListenerIdentity) -> String {
        let now = NIODeadline.now()
        let id = random.next().text
        let record = RequestRecord(id: id, traceID: id, listener: listener, dialect: .other, started: now)
        record.status = error.status
        record.error = error.label
        observe(record, snapshot: snapshot, variant: snapshot.base)
        return id
    }

    /// Counts one upstream attempt.
    func observeAttempt(_ target: Target, of variant: Variant, outcome: Label, snapshot: Snapshot) {
        let label = model(target.model, of: variant).label(at: target.upstream, in: snapshot)
        metrics.add(.attempts, Labels(label, outcome))
    }

    /// Counts a move from one target to the next.
    func observeMove(from: Target, to: Target, reason: String, snapshot: Snapshot) {
        metrics.add(.fallbacks, Labels(snapshot.label(of: from), snapshot.label(of: to), Label(reason)))
    }

    /// Logs that a target is left alone, or asked again.
    func breakerChanged(_ change: CircuitBreaker.Transition, _ target: Target, because reason: String) {
        EventLog(writer: shared.logWriter).breakerChanged(change, target, because: reason)
    }

    /// Counts a body that was forwarded untouched because it was not understood.
    func bodyWasNotUnderstood(_ dialect: Dialect) {
        metrics.add(.bodiesNotUnderstood, Labels(Label(dialect.rawValue)))
    }

    private func add(_ clip: ClipFigures, _ labels: RecordLabels) {
        let clipped = Labels(labels.route, labels.experiment, labels.arm)
        metrics.add(.clips, clipped)
        metrics.add(.clippedTokens, clipped, Double(clip.before - clip.after))
        metrics.add(.clippedMessages, clipped, Double(clip.dropped))
    }
}

/// The labels of a record: small numbers, so that nothing is formatted for a request.
struct RecordLabels {
    let route: Label
    let model: Label
    let experiment: Label
    let arm: Label
    let request: Labels
    let policy: Labels

    init(_ record: RequestRecord, _ model: KnownModel, _ snapshot: Snapshot, _ variant: Variant) {
        route = snapshot.label(ofRoute: record.route)
        self.model = record.model.isEmpty ? .none : model.label(in: snapshot)
        experiment = variant.experimentLabel
        arm = variant.armLabel
        let status = Self.classes[min(max(record.status / 100, 0), 5)]
        let stream = record.isStream ? Self.yes : Self.no
        request = Labels(record.listener.label, route, self.model, experiment, arm, status, stream)
        policy = Labels(route, self.model, experiment, arm)
    }

    private static let yes = Label("true")
    private static let no = Label("false")
    private static let classes = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"].map { Label($0) }
}

/// Bytes of bodies, by hop: plain numbers, since every request adds to all of them.
struct BodyBytes {
    private var clientIn = 0
    private var upstreamOut = 0
    private var upstreamIn = 0
    private var clientOut = 0

    mutating func add(_ record: RequestRecord) {
        clientIn += record.bytesIn
        upstreamOut += record.upstreamBytesOut
        upstreamIn += record.upstreamBytesIn
        clientOut += record.bytesOut
    }

    func add(to figures: inout MetricsShard) {
        let hops = [
            ("client_in", clientIn), ("upstream_out", upstreamOut), ("upstream_in", upstreamIn),
            ("client_out", clientOut),
        ]
        for (hop, count) in hops { figures.set(.bodyBytes, Labels(Label(hop)), to: Double(count)) }
    }
}

extension Label {
    /// The outcome of an attempt that was answered.
    static let ok = Label("ok")
}
