internal import NIOCore
internal import Telemetry

/// The spans of a connection of the forward proxy: its own, and one for each rung that was tried.
extension ForwardHandler {
    /// - Returns: nil without tracing.
    func startTrace() -> RequestTrace? {
        guard let pipeline = loop.spans?.pipeline else { return nil }
        let method: StaticString = record.kind == .connect ? "CONNECT" : "SOCKS5"
        let (made, span) = (loop.random.next(), loop.random.next().low)
        return RequestTrace(method: method, made: made, span: span, pipeline.sampler)
    }

    /// Makes the spans, once the connection has ended.
    func addSpans() {
        guard let trace = climb?.trace, trace.isSampled, var spans = loop.spans.take() else { return }
        defer { loop.spans = spans }
        let (record, clock) = (record, SpanClock())
        spans.append(trace.roads, below: trace.identity, clock)
        let times = clock.times(record.started, .now())
        spans.append { record.appendSpan(to: &$0, trace, times) }
    }
}

extension ForwardRecord {
    fileprivate func appendSpan(to buffer: inout [UInt8], _ trace: RequestTrace, _ times: SpanTimes) {
        SpanEncoder.append(to: &buffer, trace.identity, name: (trace.method, ""), .server, times) { span in
            if kind == .connect { span.add("http.request.method", trace.method) }
            if let host { span.add("server.address", host) }
            if let port { span.add("server.port", port) }
            span.add("sidecar.listener", "egress" as StaticString)
            if let hop { span.add("sidecar.hop", hop) }
            if let rung { span.add("sidecar.rung", rung) }
            span.add("sidecar.bytes_in", bytesIn)
            span.add("sidecar.bytes_out", bytesOut)
            guard let error else { return }
            span.add("error.type", error)
            span.fail(error)
        }
    }
}
