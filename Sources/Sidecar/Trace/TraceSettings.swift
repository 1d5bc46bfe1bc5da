internal import NIOCore
internal import Telemetry

/// Where spans go and which of them: OpenTelemetry's standard variables.
///
/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/> and
/// <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.
struct TraceSettings: Sendable {
    /// Where batches are posted to.
    var endpoint: String
    /// Sent with every batch; their values are secrets.
    var headers: [(name: String, value: String)] = []
    /// Of one request.
    var timeout = TimeAmount.seconds(10)
    var limits = SpanQueueState.Limits(mostSpans: 2048, mostInBatch: 512, delay: .seconds(5))
    var sampler = TraceSampler.standard
    /// What is said of the process.
    var resource: [(name: String, value: String)] = []
    /// A PEM file whose certificates the receiver may use.
    var certificate: String?

    /// What the environment asks for.
    struct Reading: Sendable {
        /// Nil for no tracing.
        var settings: TraceSettings?
        /// What was asked for and is not done, and what to write instead.
        var problems: [String] = []
    }
}

extension TraceSettings.Reading {
    /// Reads the variables; one that is empty counts as unset, and one that cannot be read as its default.
    init(environment: [String: String]) {
        let variables = environment.filter { $0.key.hasPrefix("OTEL_") && !$0.value.isEmpty }
        guard variables["OTEL_SDK_DISABLED"]?.lowercased() != "true", isExporterOTLP(variables),
            let endpoint = endpoint(variables), isProtocolKnown(variables)
        else { return }
        var settings = TraceSettings(endpoint: endpoint)
        settings.headers = headers(variables)
        settings.certificate =
            variables["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"] ?? variables["OTEL_EXPORTER_OTLP_CERTIFICATE"]
        settings.timeout = .milliseconds(
            Int64(
                number("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT", of: variables)
                    ?? 10_000
            )
        )
        settings.limits = SpanQueueState.Limits(
            mostSpans: number("OTEL_BSP_MAX_QUEUE_SIZE", of: variables) ?? 2048,
            mostInBatch: number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", of: variables) ?? 512,
            delay: .milliseconds(number("OTEL_BSP_SCHEDULE_DELAY", of: variables) ?? 5000)
        )
        settings.sampler = sampler(variables)
        settings.resource = resource(variables)
        self.settings = settings
    }

    // MARK: - Where to

    private mutating func isExporterOTLP(_ variables: [String: String]) -> Bool {
        let exporters = (variables["OTEL_TRACES_EXPORTER"] ?? "otlp").split(separator: ",").map(\.trimmed)
        if exporters.contains("otlp") { return true }
        if exporters != ["none"] {
            problems.append("OTEL_TRACES_EXPORTER: only otlp and none are known; set otlp")
        }
        return false
    }

    private mutating func endpoint(_ variables: [String: String]) -> String? {
        let name: String
        let text: String
        if let own = variables["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] {
            (name, text) = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", own)
        } else if let base = variables["OTEL_EXPORTER_OTLP_ENDPOINT"] {
            (name, text) = (
                "OTEL_EXPORTER_OTLP_ENDPOINT", (base.hasSuffix("/") ? base : base + "/") + "v1/traces"
            )
        } else {
            return nil
        }
        guard text.hasPrefix("http://") || text.hasPrefix("https://") else {
            problems.append("\(name): not a URL; write it like http://collector:4318")
            return nil
        }
        return text
    }

    private mutating func isProtocolKnown(_ variables: [String: String]) -> Bool {
        let name =
            variables["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] == nil
            ? "OTEL_EXPORTER_OTLP_PROTOCOL" : "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
        guard let value = variables[name], value != "http/protobuf" else { return true }
        problems.append(
            "\(name): only http/protobuf is spoken; set that, and the receiver's port for it, mostly 4318"
        )
        return false
    }

    // MARK: - What and how

    private func headers(_ variables: [String: String]) -> [(name: String, value: String)] {
        pairs(variables["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] ?? variables["OTEL_EXPORTER_OTLP_HEADERS"])
    }

    private mutating func sampler(_ variables: [String: String]) -> TraceSampler {
        guard let name = variables["OTEL_TRACES_SAMPLER"] else { return .standard }
        if let sampler = TraceSampler(named: name, argument: variables["OTEL_TRACES_SAMPLER_ARG"]) {
            return sampler
        }
        problems.append(
            "OTEL_TRACES_SAMPLER: not known; set always_on, always_off, traceidratio or parentbased_…"
        )
        return .standard
    }

    private func resource(_ variables: [String: String]) -> [(name: String, value: String)] {
        var resource: [(name: String, value: String)] = [
            ("service.name", "sidecar"), ("service.version", BuildVersion.number),
        ]
        resource += pairs(variables["OTEL_RESOURCE_ATTRIBUTES"])
        if let name = variables["OTEL_SERVICE_NAME"] { resource.append(("service.name", name)) }
        return resource + [
            ("telemetry.sdk.name", "sidecar"), ("telemetry.sdk.language", "swift"),
            ("telemetry.sdk.version", BuildVersion.number),
        ]
    }

    /// `name=value,name=value`, percent-encoded (W3C Baggage, section 3.3.1); what is no pair is left out.
    private func pairs(_ text: String?) -> [(name: String, value: String)] {
        (text ?? "").split(separator: ",").compactMap { entry in
            guard let equals = entry.firstIndex(of: "=") else { return nil }
            let name = entry[..<equals].trimmed
            return name.isEmpty ? nil : (name, entry[entry.index(after: equals)...].trimmed.percentDecoded)
        }
    }

    /// The first of some variables that is set; nil where none is, or it is no positive number.
    private mutating func number(_ names: String..., of variables: [String: String]) -> Int? {
        guard let name = names.first(where: { variables[$0] != nil }) else { return nil }
        if let number = variables[name].flatMap({ Int($0) }), (1...Self.mostNumber).contains(number) {
            return number
        }
        problems.append("\(name): not a number from 1 to \(Self.mostNumber); the default holds")
        return nil
    }

    /// A day in milliseconds, and more spans than anybody keeps.
    private static let mostNumber = 86_400_000
}

extension Substring {
    /// Less the spaces around it.
    fileprivate var trimmed: String {
        let start = drop { $0 == " " || $0 == "\t" }
        return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
