import NIOCore
import Telemetry
import Testing

@testable import Sidecar

@Suite("Tracing obeys OpenTelemetry's variables")
struct TraceSettingsTests {
    private static let endpoint = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"]

    private func reading(_ more: [String: String] = [:]) -> TraceSettings.Reading {
        TraceSettings.Reading(environment: Self.endpoint.merging(more) { $1 })
    }

    static let endpoints: [(variables: [String: String], endpoint: String?)] = [
        ([:], nil),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": ""], nil),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"], "http://c:4318/v1/traces"),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "https://c/base/"], "https://c/base/v1/traces"),
        (["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318"], "http://c:4318"),
        (
            [
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://own/path",
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318",
            ], "http://own/path"
        ),
    ]

    @Test("where to", arguments: endpoints)
    func target(variables: [String: String], endpoint: String?) {
        let reading = TraceSettings.Reading(environment: variables)

        #expect(reading.settings?.endpoint == endpoint)
        #expect(reading.problems.isEmpty)
    }

    @Test("without further variables it is as OpenTelemetry says")
    func defaults() throws {
        let settings = try #require(reading().settings)

        #expect(settings.timeout == .seconds(10) && settings.sampler == .standard && settings.headers.isEmpty)
        #expect(settings.limits == .init(mostSpans: 2048, mostInBatch: 512, delay: .seconds(5)))
        #expect(settings.resource.contains { $0 == ("service.name", "sidecar") })
    }

    @Test("numbers, sampler and headers")
    func values() throws {
        let reading = reading([
            "OTEL_EXPORTER_OTLP_TIMEOUT": "250", "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_BSP_MAX_QUEUE_SIZE": "64", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "16",
            "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.5",
            "OTEL_EXPORTER_OTLP_HEADERS": "a=1, b = x%20y ,c,=d,e=",
        ])

        let settings = try #require(reading.settings)
        #expect(settings.timeout == .milliseconds(250))
        #expect(settings.limits == .init(mostSpans: 64, mostInBatch: 16, delay: .milliseconds(100)))
        #expect(settings.sampler == TraceSampler(.share(0.5), followsParent: false))
        #expect(settings.headers.map { "\($0.name)=\($0.value)" } == ["a=1", "b=x y", "e="])
        #expect(reading.problems.isEmpty)
    }

    static let off: [(name: String, value: String, problem: String?)] = [
        ("OTEL_SDK_DISABLED", "True", nil),
        ("OTEL_TRACES_EXPORTER", "none", nil),
        ("OTEL_TRACES_EXPORTER", "console", "set otlp"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "set that, and the receiver's port for it, mostly 4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "write it like http://collector:4318"),
    ]

    @Test("what switches it off, or cannot be obeyed", arguments: off)
    func disabled(name: String, value: String, problem: String?) {
        let reading = reading([name: value])

        #expect(reading.settings == nil)
        #expect(reading.problems.count == (problem == nil ? 0 : 1))
        if let problem { #expect(reading.problems.allSatisfy { $0.hasPrefix(name) && $0.contains(problem) }) }
    }

    @Test(
        "a number that is none is said, and its default holds",
        arguments: ["0", "-1", "x", "1e3", "99999999999"]
    )
    func badNumber(value: String) throws {
        let reading = reading(["OTEL_BSP_MAX_QUEUE_SIZE": value])

        #expect(try #require(reading.settings).limits.mostSpans == 2048)
        #expect(reading.problems.count == 1 && reading.problems.allSatisfy { !$0.contains(value + ":") })
    }

    @Test("the signal's own variables come before those of all signals")
    func own() throws {
        let settings = try #require(
            reading([
                "OTEL_EXPORTER_OTLP_TIMEOUT": "1", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "2",
                "OTEL_EXPORTER_OTLP_HEADERS": "a=1", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "b=2",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
                "OTEL_EXPORTER_OTLP_CERTIFICATE": "x", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE": "y",
                "OTEL_TRACES_EXPORTER": "console, otlp",
            ]).settings
        )

        #expect(settings.timeout == .milliseconds(2) && settings.certificate == "y")
        #expect(settings.headers.map(\.name) == ["b"])
    }
}
