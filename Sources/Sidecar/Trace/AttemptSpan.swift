internal import NIOCore
internal import Policies
internal import Telemetry
internal import Wire

/// The span of one request to an upstream, by OpenTelemetry's conventions for HTTP clients and for generative AI.
struct AttemptSpan {
    let attempt: RequestTrace.Attempt
    let record: RequestRecord
    /// The target's model if it may stand in a name, else empty.
    let model: String
    /// How often the same target was asked before.
    let resends: Int
    /// Whether the client got this one's answer, if there was one.
    let isAnswer: Bool

    func append(to buffer: inout [UInt8], _ identity: SpanIdentity, _ times: SpanTimes) {
        let method = record.trace?.method ?? "_OTHER"
        let name = record.dialect.operation.map { ($0, model) } ?? (method, "")
        SpanEncoder.append(to: &buffer, identity, name: name, .client, times) { span in
            let settings = attempt.upstream.settings
            span.add("http.request.method", method)
            span.add("server.address", settings.url.host)
            span.add("server.port", settings.url.port)
            if attempt.status > 0 { span.add("http.response.status_code", attempt.status) }
            if resends > 0 { span.add("http.request.resend_count", resends) }
            if let operation = record.dialect.operation {
                span.add("gen_ai.operation.name", operation)
                span.add("gen_ai.provider.name", settings.provider)
                if !attempt.target.model.isEmpty { span.add("gen_ai.request.model", attempt.target.model) }
                if isAnswer, attempt.outcome == nil || attempt.outcome == .ok { record.addAnswer(to: &span) }
            }
            addWay(to: &span)
            addFailure(to: &span)
        }
    }

    private func addWay(to span: inout SpanEncoder) {
        span.add("sidecar.target", attempt.target.name)
        span.add("sidecar.attempt", attempt.place + 1)
        if let outcome = attempt.outcome { span.add("sidecar.outcome", outcome.text) }
        if let road = attempt.road {
            span.add("sidecar.hop", road.hop)
            span.add("sidecar.rung", road.rung)
        }
    }

    private func addFailure(to span: inout SpanEncoder) {
        if let outcome = attempt.outcome, outcome != .ok {
            span.add("error.type", outcome.text)
            span.fail(outcome.text)
        } else if attempt.status >= 400 {
            span.add("error.type", String(attempt.status))
            span.fail("")
        } else if attempt.status == 0, let error = record.error {
            span.add("error.type", error)
            span.fail(error)
        }
    }
}

extension Upstream {
    /// The value of `gen_ai.provider.name`: one of the conventions' own names where the host tells, else the kind.
    var provider: String {
        switch url.host {
        case "generativelanguage.googleapis.com": "gcp.gemini"
        case "api.openai.com": "openai"
        case "api.anthropic.com": "anthropic"
        default: kind.rawValue
        }
    }
}

extension RequestTrace.Upload {
    func append(to buffer: inout [UInt8], _ identity: SpanIdentity, _ times: SpanTimes) {
        SpanEncoder.append(to: &buffer, identity, name: ("prepare images", ""), .internal, times) { span in
            counts.add(to: &span)
            guard counts[.failed] > 0 else { return }
            span.add("error.type", "store_failed" as StaticString)
            span.fail("store_failed")
        }
    }
}

extension RequestTrace.Opening {
    func append(to buffer: inout [UInt8], _ identity: SpanIdentity, _ times: SpanTimes) {
        SpanEncoder.append(to: &buffer, identity, name: ("open hop", hop), .client, times) { span in
            span.add("sidecar.hop", hop)
            span.add("sidecar.rung", rung)
            guard let fault else { return }
            span.add("error.type", fault)
            span.fail(fault)
        }
    }
}
