import NIOHTTP1
import Testing

@testable import Sidecar

@Suite("The format of the metrics is the one that is asked for")
struct MetricsFormatTests {
    /// As Prometheus 3 sends it, protobuf first.
    private static let prometheus =
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        + "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
        + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"

    @Test(
        "by its weight",
        arguments: [
            (nil, .text), ("", .text), ("*/*", .text), ("text/plain", .text),
            ("application/openmetrics-text", .openMetrics),
            ("Application/OpenMetrics-Text; version=1.0.0", .openMetrics),
            ("text/plain, application/openmetrics-text", .openMetrics),
            ("text/plain;q=0.5, application/openmetrics-text;q=0.4", .text),
            ("application/openmetrics-text;q=0", .text),
            ("application/openmetrics-text; Q=0.1", .openMetrics),
            ("application/openmetrics-text;q=x", .text), (";;,,", .text),
            (prometheus, .openMetrics), ("text/html,application/xhtml+xml,*/*;q=0.8", .text),
        ] as [(String?, MetricsFormat)]
    )
    func accepts(field: String?, format: MetricsFormat) {
        var headers = HTTPHeaders()
        if let field { headers.add(name: "Accept", value: field) }

        #expect(MetricsFormat(accepting: headers) == format)
    }
}
