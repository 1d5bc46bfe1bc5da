/// Every metric of the sidecar.
///
/// A new metric is a case here and a row in ``description``.
public enum Metric: UInt8, CaseIterable, Sendable {
    case requests, requestDuration, timeToFirstToken, outputToken, overhead
    case attempts, fallbacks, breakerState
    case tokens, cost, countError
    case clips, clippedTokens, clippedMessages, prefixKept
    case images, imageBytes
    case bodyBytes
    case egressConnections, egressBytes, egressConnect
    case reloads, configurationInfo
    case streamsOpen, connectionsOpen
    case logLinesDropped, bodiesNotUnderstood, spansDropped
    case residentMemory, cpuSeconds, openDescriptors, maxDescriptors, startTime

    public enum Kind: Equatable, Sendable {
        case counter
        case gauge
        /// Cumulative buckets with these upper bounds.
        case histogram([Double])
    }

    public struct Description: Sendable {
        public let name: String
        public let kind: Kind
        public let labels: [String]
        public let help: String

        init(_ name: String, _ kind: Kind, _ labels: [String] = [], help: String) {
            self.name = name
            self.kind = kind
            self.labels = labels
            self.help = help
        }
    }

    private static let byPolicy = ["route", "model", "experiment", "arm"]

    private static let descriptions: [Description] = allCases.map { $0.described() }

    public var description: Description { Self.descriptions[Int(rawValue)] }

    // One row a metric: the length is that of the list.
    // swift-format-ignore
    private func described() -> Description {
        switch self {
        case .requests: .init("sidecar_requests_total", .counter, ["listener", "route", "model", "experiment", "arm", "status", "stream"], help: "Requests that have ended, by the class of their status (2xx); a client that left before its answer began is one of 4xx (499 in the log), one that left later has the status that it was sent.")
        case .requestDuration: .init("sidecar_request_duration_seconds", .histogram(Buckets.durations), Self.byPolicy, help: "From the request's first byte to the answer's last.")
        case .timeToFirstToken: .init("sidecar_time_to_first_token_seconds", .histogram(Buckets.firstTokens), Self.byPolicy, help: "From the request's first byte to the first delta of a streamed answer, reasoning too.")
        case .outputToken: .init("sidecar_output_token_seconds", .histogram(Buckets.outputTokens), Self.byPolicy, help: "From the first token of a stream to its end, for each token after the first: of those that the provider reports, else of the deltas, and only of streams that end well.")
        case .overhead: .init("sidecar_overhead_seconds", .histogram(Buckets.overheads), ["phase"], help: "What the sidecar spends on an inspected request: accept reads it, plan understands it and decides, transform edits it for its targets, upload waits until its images are stored, relay passes the answer on.")
        case .attempts: .init("sidecar_upstream_attempts_total", .counter, ["target", "outcome"], help: "Requests sent upstream, each with one outcome once it is known: ok or a class of failure; a stream that breaks off is upstream_fault.")
        case .fallbacks: .init("sidecar_fallbacks_total", .counter, ["from", "to", "reason"], help: "Moves to the next target of a chain; reason is a class of failure, or open for a breaker.")
        case .breakerState: .init("sidecar_breaker_state", .gauge, ["target"], help: "0 closed, 1 half-open, 2 open.")
        case .tokens: .init("sidecar_tokens_total", .counter, ["model", "experiment", "arm", "kind", "source"], help: "Tokens: kind is input (less cached ones), cached_input or output; source is reported by the provider, else counted here: the prompt by its encoding, of a streamed answer the deltas.")
        case .cost: .init("sidecar_cost_usd_total", .counter, ["model", "experiment", "arm"], help: "Cost in US dollars: by models[].price where there is one, else what LiteLLM states.")
        case .countError: .init("sidecar_count_error_ratio", .histogram(Buckets.countErrors), ["model"], help: "The provider's prompt tokens divided by those expected: counted here, times tokenScale.")
        case .clips: .init("sidecar_clips_total", .counter, ["route", "experiment", "arm"], help: "Requests whose history was clipped.")
        case .clippedTokens: .init("sidecar_clipped_tokens_total", .counter, ["route", "experiment", "arm"], help: "Tokens left out by clipping.")
        case .clippedMessages: .init("sidecar_clipped_messages_total", .counter, ["route", "experiment", "arm"], help: "Messages left out by clipping.")
        case .prefixKept: .init("sidecar_prefix_kept_ratio", .histogram(Buckets.shares), ["route", "experiment", "arm"], help: "Share of the messages that were forwarded for the previous turn of a conversation, in bytes, with which this turn begins: what a provider's prompt cache can still use; 0 at another target.")
        case .images: .init("sidecar_images_total", .counter, ["direction", "result"], help: "Images; direction is request or response, result is uploaded, deduplicated, resigned, inlined, passed or failed.")
        case .imageBytes: .init("sidecar_image_bytes_total", .counter, ["hop"], help: "Bytes of images, decoded; hop is client_in, upstream_out, store_out, upstream_in or client_out.")
        case .bodyBytes: .init("sidecar_body_bytes_total", .counter, ["hop"], help: "Bytes of bodies, framing taken off; hop is client_in, upstream_out, upstream_in or client_out.")
        case .egressConnections: .init("sidecar_egress_connections_total", .counter, ["hop", "rung", "result"], help: "Connections tried by a rung of a hop; result is ok, region_blocked, abandoned or a fault such as timed_out, closed, authentication.")
        case .egressBytes: .init("sidecar_egress_bytes_total", .counter, ["hop", "rung", "result"], help: "Bytes that went through a rung, the tunnel's own left out; result is sent or received.")
        case .egressConnect: .init("sidecar_egress_connect_seconds", .histogram(Buckets.connects), ["hop", "rung", "result"], help: "Time until bytes could be sent by a rung, or until it failed.")
        case .reloads: .init("sidecar_config_reloads_total", .counter, ["result"], help: "Configurations loaded; result is ok or failed.")
        case .configurationInfo: .init("sidecar_config_info", .gauge, ["hash"], help: "1 for the configuration in force.")
        case .streamsOpen: .init("sidecar_streams_open", .gauge, help: "Streamed answers under way.")
        case .connectionsOpen: .init("sidecar_connections_open", .gauge, ["side"], help: "Open connections; side is client or upstream.")
        case .logLinesDropped: .init("sidecar_log_lines_dropped_total", .counter, help: "Log lines lost because standard output was blocked.")
        case .bodiesNotUnderstood: .init("sidecar_bodies_not_understood_total", .counter, ["dialect"], help: "Bodies that were forwarded untouched because their JSON or shape was not understood.")
        case .spansDropped: .init("sidecar_spans_dropped_total", .counter, help: "Spans lost because no receiver took them in time.")
        case .residentMemory: .init("process_resident_memory_bytes", .gauge, help: "Resident memory size in bytes.")
        case .cpuSeconds: .init("process_cpu_seconds_total", .counter, help: "Total user and system CPU time spent in seconds.")
        case .openDescriptors: .init("process_open_fds", .gauge, help: "Number of open file descriptors.")
        case .maxDescriptors: .init("process_max_fds", .gauge, help: "Maximum number of open file descriptors.")
        case .startTime: .init("process_start_time_seconds", .gauge, help: "Start time of the process since unix epoch in seconds.")
        }
    }
}
