internal import NIOHTTP1

/// The formats of `GET /metrics`.
enum MetricsFormat: Equatable {
    case text
    case openMetrics

    /// The format that a client would rather have: OpenMetrics where it names it and does not prefer text.
    ///
    /// Source: RFC 9110, section 12.5.1; `Accept` of Prometheus lists every format with a weight.
    init(accepting headers: HTTPHeaders) {
        let ranges = headers[canonicalForm: "accept"].map(AcceptedRange.init)
        func weight(_ type: String) -> Double { ranges.filter { $0.type == type }.map(\.weight).max() ?? 0 }
        let wanted = weight("application/openmetrics-text")
        self = wanted > 0 && wanted >= weight("text/plain") ? .openMetrics : .text
    }

    var contentType: String {
        switch self {
        case .text: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }
}

/// A media range of an `Accept` field.
private struct AcceptedRange {
    let type: String
    let weight: Double

    init(_ text: Substring) {
        let parts = text.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
        type = parts.first ?? ""
        let stated = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 }
        weight = stated ?? 1
    }
}
