/// Every metric of the sidecar.
///
/// A new metric is a case here and a row in ``description``.
public enum Metric: UInt8, CaseIterable, Sendable {
    case requests, requestDuration, timeToFirstToken, overhead
    case attempts, fallbacks, breakerState
    case tokens, cost, countError
    case clips, clippedTokens, clippedMessages
    case images, imageBytes
    case bodyBytes
    case egressConnections, egressBytes, egressConnect
    case reloads, configurationInfo
    case streamsOpen, connectionsOpen
    case logLinesDropped, bodiesNotUnderstood
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

    /// Seconds from a cached answer to the longest reasoning.
    private static let durations: [Double] = [
        0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640,
    ]
    /// Seconds that the sidecar itself spends: microseconds, unless something is wrong.
    private static let overheads: [Double] = [
        0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01,
        0.05, 0.25,
    ]
    /// Seconds from a proxy next door to one that times out.
    private static let connects: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]
    private static let ratios: [Double] = [
        0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1, 1.02, 1.05, 1.1, 1.2, 1.3, 1.5, 2,
    ]
    private static let byPolicy = ["route", "model", "experiment", "arm"]

    private static let descriptions: [Description] = allCases.map { $0.described() }

    public var description: Description { Self.descriptions[Int(rawValue)] }

    // One row a metric: the length is that of the list.
    // swift-format-ignore
    private func described() -> Description {
        switch self {
        case .requests: .init("sidecar_requests_total", .counter, ["listener", "route", "model", "experiment", "arm", "status", "stream"], help: "Requests answered, by status class.")
        case .requestDuration: .init("sidecar_request_duration_seconds", .histogram(Self.durations), Self.byPolicy, help: "From the request's first byte to the answer's last.")
        case .timeToFirstToken: .init("sidecar_time_to_first_token_seconds", .histogram(Self.durations), Self.byPolicy, help: "From the request's first byte to the first delta of a streamed answer.")
        case .overhead: .init("sidecar_overhead_seconds", .histogram(Self.overheads), ["phase"], help: "Time that the sidecar itself spends on a request, by phase.")
        case .attempts: .init("sidecar_upstream_attempts_total", .counter, ["target", "outcome"], help: "Requests sent upstream, by outcome.")
        case .fallbacks: .init("sidecar_fallbacks_total", .counter, ["from", "to", "reason"], help: "Moves from one target to the next.")
        case .breakerState: .init("sidecar_breaker_state", .gauge, ["target"], help: "0 closed, 1 half-open, 2 open.")
        case .tokens: .init("sidecar_tokens_total", .counter, ["model", "experiment", "arm", "kind", "source"], help: "Tokens, as reported by the provider or counted here.")
        case .cost: .init("sidecar_cost_usd_total", .counter, ["model", "experiment", "arm"], help: "Cost in US dollars by the configured prices.")
        case .countError: .init("sidecar_count_error_ratio", .histogram(Self.ratios), ["model"], help: "The provider's prompt tokens divided by those expected: counted here, times tokenScale.")
        case .clips: .init("sidecar_clips_total", .counter, ["route", "experiment", "arm"], help: "Requests whose history was clipped.")
        case .clippedTokens: .init("sidecar_clipped_tokens_total", .counter, ["route", "experiment", "arm"], help: "Tokens left out by clipping.")
        case .clippedMessages: .init("sidecar_clipped_messages_total", .counter, ["route", "experiment", "arm"], help: "Messages left out by clipping.")
        case .images: .init("sidecar_images_total", .counter, ["direction", "result"], help: "Images of requests and answers, by what became of them.")
        case .imageBytes: .init("sidecar_image_bytes_total", .counter, ["hop"], help: "Bytes of images, decoded, by hop.")
        case .bodyBytes: .init("sidecar_body_bytes_total", .counter, ["hop"], help: "Bytes of bodies, by hop.")
        case .egressConnections: .init("sidecar_egress_connections_total", .counter, ["hop", "rung", "result"], help: "Connections tried by a rung of a hop, by what came of them.")
        case .egressBytes: .init("sidecar_egress_bytes_total", .counter, ["hop", "rung", "result"], help: "Bytes that went through a rung, the tunnel's own left out.")
        case .egressConnect: .init("sidecar_egress_connect_seconds", .histogram(Self.connects), ["hop", "rung", "result"], help: "Time until bytes could be sent by a rung, or until it failed.")
        case .reloads: .init("sidecar_config_reloads_total", .counter, ["result"], help: "Configurations loaded.")
        case .configurationInfo: .init("sidecar_config_info", .gauge, ["hash"], help: "1 for the configuration in force.")
        case .streamsOpen: .init("sidecar_streams_open", .gauge, help: "Streamed answers under way.")
        case .connectionsOpen: .init("sidecar_connections_open", .gauge, ["side"], help: "Open connections, by side.")
        case .logLinesDropped: .init("sidecar_log_lines_dropped_total", .counter, help: "Log lines lost because standard output was blocked.")
        case .bodiesNotUnderstood: .init("sidecar_bodies_not_understood_total", .counter, ["dialect"], help: "Bodies that were forwarded untouched because their JSON or shape was not understood.")
        case .residentMemory: .init("process_resident_memory_bytes", .gauge, help: "Resident memory size in bytes.")
        case .cpuSeconds: .init("process_cpu_seconds_total", .counter, help: "Total user and system CPU time spent in seconds.")
        case .openDescriptors: .init("process_open_fds", .gauge, help: "Number of open file descriptors.")
        case .maxDescriptors: .init("process_max_fds", .gauge, help: "Maximum number of open file descriptors.")
        case .startTime: .init("process_start_time_seconds", .gauge, help: "Start time of the process since unix epoch in seconds.")
        }
    }
}
