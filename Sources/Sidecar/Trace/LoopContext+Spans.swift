internal import NIOCore
internal import Policies
internal import Telemetry
internal import Wire

extension LoopContext {
    /// Makes the spans of a request that is over.
    func addSpans(of record: RequestRecord, snapshot: Snapshot, ended: NIODeadline) {
        guard let trace = record.trace, trace.isSampled, var spans = spans.take() else { return }
        defer { self.spans = spans }
        let clock = SpanClock()
        let last = trace.attempts.count - 1
        for (place, attempt) in trace.attempts.enumerated() {
            let resends = trace.attempts[..<place].count { $0.place == attempt.place }
            let request = AttemptSpan(
                attempt: attempt,
                record: record,
                model: snapshot.configuredName(of: attempt.target.model),
                resends: resends,
                isAnswer: place == last
            )
            let times = clock.times(attempt.started, attempt.ended ?? ended)
            spans.append { request.append(to: &$0, trace.identity.child(attempt.span), times) }
        }
        for upload in trace.uploads {
            let times = clock.times(upload.started, upload.ended)
            spans.append { upload.append(to: &$0, trace.identity.child(upload.span), times) }
        }
        spans.append(trace.roads, below: trace.identity, clock)
        let model = snapshot.configuredName(of: record.requestedModel)
        spans.append { buffer in
            record.appendSpan(to: &buffer, trace, model: model, clock.times(record.started, ended))
        }
    }
}

extension SpanBuffer {
    /// Makes the spans of rungs that were tried.
    mutating func append(_ roads: [RequestTrace.Opening], below request: SpanIdentity, _ clock: SpanClock) {
        for road in roads {
            let times = clock.times(road.started, road.ended)
            var identity = request.child(road.span)
            identity.parent = road.parent
            append { road.append(to: &$0, identity, times) }
        }
    }
}

/// Turns monotonic times into those of the wall clock, as of now.
struct SpanClock {
    private let offset: Int64

    init() {
        offset = Clock.epochNanoseconds() - Int64(NIODeadline.now().uptimeNanoseconds)
    }

    func times(_ started: NIODeadline, _ ended: NIODeadline) -> SpanTimes {
        SpanTimes(started: instant(started), ended: instant(ended))
    }

    private func instant(_ time: NIODeadline) -> UInt64 {
        UInt64(clamping: Int64(time.uptimeNanoseconds) + offset)
    }
}

extension Snapshot {
    /// The model's name where it is configured or listed: span names come from a closed set, like labels.
    fileprivate func configuredName(of model: String) -> String {
        model.isEmpty || label(ofModel: model) == .other ? "" : model
    }
}
