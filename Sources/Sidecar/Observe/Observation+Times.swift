internal import NIOCore
internal import Telemetry

extension LoopContext {
    /// Puts the times of a request into the figures, and the share of its prefix that was kept.
    func addTimes(of record: RequestRecord, _ labels: RecordLabels, ended: NIODeadline) {
        let instant = ended.seconds
        metrics.observe(
            .requestDuration,
            labels.policy,
            (ended - record.started).seconds,
            trace: record.traceID,
            at: instant
        )
        if let firstToken = record.firstToken {
            metrics.observe(
                .timeToFirstToken,
                labels.policy,
                (firstToken - record.started).seconds,
                trace: record.traceID,
                at: instant
            )
        }
        if let seconds = record.outputTokenSeconds(ended: ended) {
            metrics.observe(.outputToken, labels.policy, seconds)
        }
        if let share = record.figures.keptPrefix {
            metrics.observe(.prefixKept, Labels(labels.route, labels.experiment, labels.arm), share)
        }
        addPhases(of: record)
    }

    /// Only of what was inspected: elsewhere the sidecar spends next to nothing, which would hide the rest.
    private func addPhases(of record: RequestRecord) {
        let figures = record.figures
        guard figures.plan > 0 else { return }
        add(figures.accept, Phase.accept)
        add(figures.plan, Phase.plan)
        add(figures.transform, Phase.transform)
        add(record.upload, Phase.upload)
        add(figures.relay.nanoseconds, Phase.relay)
    }

    private func add(_ nanoseconds: Int64, _ phase: Labels) {
        if nanoseconds > 0 { metrics.observe(.overhead, phase, Double(nanoseconds) / 1e9) }
    }

    private enum Phase {
        static let accept = Labels(Label("accept"))
        static let plan = Labels(Label("plan"))
        static let transform = Labels(Label("transform"))
        static let upload = Labels(Label("upload"))
        static let relay = Labels(Label("relay"))
    }
}

extension TimeAmount {
    fileprivate var seconds: Double { Double(nanoseconds) / 1e9 }
}

extension NIODeadline {
    /// Seconds of the clock that only goes forward.
    var seconds: Double { Double(uptimeNanoseconds) / 1e9 }
}
