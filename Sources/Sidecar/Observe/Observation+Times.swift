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
        add(figures.accept, phases.accept)
        add(figures.plan, phases.plan)
        add(figures.transform, phases.transform)
        add(record.upload, phases.upload)
        add(figures.relay.nanoseconds, phases.relay)
    }

    private func add(_ nanoseconds: Int64, _ phase: MetricsShard.HistogramPlace) {
        if nanoseconds > 0 { metrics.observe(at: phase, Double(nanoseconds) / 1e9) }
    }
}

/// Where the phases of the sidecar's own time are counted: every request adds to most of them.
struct PhasePlaces {
    let accept: MetricsShard.HistogramPlace
    let plan: MetricsShard.HistogramPlace
    let transform: MetricsShard.HistogramPlace
    let upload: MetricsShard.HistogramPlace
    let relay: MetricsShard.HistogramPlace

    init(in metrics: inout MetricsShard) {
        accept = metrics.place(of: .overhead, Labels(Label("accept")))
        plan = metrics.place(of: .overhead, Labels(Label("plan")))
        transform = metrics.place(of: .overhead, Labels(Label("transform")))
        upload = metrics.place(of: .overhead, Labels(Label("upload")))
        relay = metrics.place(of: .overhead, Labels(Label("relay")))
    }
}

extension TimeAmount {
    fileprivate var seconds: Double { Double(nanoseconds) / 1e9 }
}

extension NIODeadline {
    /// Seconds of the clock that only goes forward.
    var seconds: Double { Double(uptimeNanoseconds) / 1e9 }
}
