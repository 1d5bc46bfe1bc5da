internal import NIOCore
internal import Policies
internal import Telemetry
internal import Wire

/// The span of a whole request, by OpenTelemetry's conventions for HTTP servers and for generative AI.
///
/// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server> and
/// <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>. No path that is not known beforehand and no
/// query is told: either may hold a secret.
extension RequestRecord {
    /// - Parameter model: the requested model if it may stand in a name, else empty.
    func appendSpan(to buffer: inout [UInt8], _ trace: RequestTrace, model: String, _ times: SpanTimes) {
        let name = dialect.operation.map { ($0, model) } ?? (trace.method, "")
        SpanEncoder.append(to: &buffer, trace.identity, name: name, .server, times) { span in
            span.add("http.request.method", trace.method)
            span.add("url.scheme", "http" as StaticString)
            if let route = dialect.httpRoute { span.add("http.route", route) }
            if status > 0 { span.add("http.response.status_code", status) }
            span.add("http.request.body.size", bytesIn)
            span.add("http.response.body.size", bytesOut)
            addGeneration(by: trace.attempts.last?.upstream.settings, to: &span)
            addDecision(to: &span)
            addFigures(to: &span)
            addFailure(to: &span)
        }
    }

    private func addGeneration(by upstream: Upstream?, to span: inout SpanEncoder) {
        guard let operation = dialect.operation else { return }
        span.add("gen_ai.operation.name", operation)
        if let upstream { span.add("gen_ai.provider.name", upstream.provider) }
        if !requestedModel.isEmpty { span.add("gen_ai.request.model", requestedModel) }
        addAnswer(to: &span)
    }

    /// Who answered, and what the provider counted.
    func addAnswer(to span: inout SpanEncoder) {
        if !model.isEmpty { span.add("gen_ai.response.model", model) }
        guard let usage else { return }
        span.add("gen_ai.usage.input_tokens", usage.promptTokens)
        span.add("gen_ai.usage.output_tokens", usage.completionTokens)
        if let cached = usage.cachedTokens { span.add("gen_ai.usage.cache_read.input_tokens", cached) }
    }

    private func addDecision(to span: inout SpanEncoder) {
        span.add("sidecar.request_id", id)
        span.add("sidecar.listener", listener.name.rawValue)
        span.add("sidecar.stream", isStream)
        if let route { span.add("sidecar.route", route) }
        if let assignment {
            span.add("sidecar.experiment", assignment.experiment)
            span.add("sidecar.arm", assignment.arm)
        }
        if let road {
            span.add("sidecar.hop", road.hop)
            span.add("sidecar.rung", road.rung)
        }
    }

    private func addFigures(to span: inout SpanEncoder) {
        span.add("sidecar.overhead", Double(overhead) / 1e9)
        if let firstToken {
            span.add("sidecar.time_to_first_token", Double((firstToken - started).nanoseconds) / 1e9)
        }
        if let clip {
            span.add("sidecar.clip.before", clip.before)
            span.add("sidecar.clip.after", clip.after)
            span.add("sidecar.clip.budget", clip.budget)
            span.add("sidecar.clip.dropped", clip.dropped)
        }
        if !images.isEmpty { images.add(to: &span) }
    }

    /// An answer that the client asked for wrongly is no failure of the server (HTTP spans, "Status").
    private func addFailure(to span: inout SpanEncoder) {
        let hasFailed = status >= 500 || (error != nil && status < 400)
        if let error {
            span.add("error.type", error)
        } else if hasFailed {
            span.add("error.type", String(status))
        }
        if hasFailed { span.fail(error ?? "") }
    }
}

extension ImageCounts {
    func add(to span: inout SpanEncoder) {
        for result in Result.allCases where self[result] > 0 { span.add(result.spanName, self[result]) }
    }
}

extension ImageCounts.Result {
    fileprivate var spanName: StaticString {
        switch self {
        case .uploaded: "sidecar.images.uploaded"
        case .deduplicated: "sidecar.images.deduplicated"
        case .resigned: "sidecar.images.resigned"
        case .inlined: "sidecar.images.inlined"
        case .passed: "sidecar.images.passed"
        case .failed: "sidecar.images.failed"
        case .dropped: "sidecar.images.dropped"
        }
    }
}

extension Dialect {
    /// The value of `gen_ai.operation.name`; nil for requests to no model, as far as is known.
    var operation: StaticString? {
        switch self {
        case .openAIChat, .anthropicMessages, .responses: "chat"
        case .completions: "text_completion"
        case .embeddings: "embeddings"
        case .gemini, .images: "generate_content"
        case .other: nil
        }
    }

    /// The path that stands for all spellings of the dialect's.
    fileprivate var httpRoute: StaticString? {
        switch self {
        case .openAIChat: "/v1/chat/completions"
        case .anthropicMessages: "/v1/messages"
        case .responses: "/v1/responses"
        case .completions: "/v1/completions"
        case .embeddings: "/v1/embeddings"
        case .images: "/v1/images/{operation}"
        case .gemini: "/v1beta/models/{model}"
        case .other: nil
        }
    }
}
