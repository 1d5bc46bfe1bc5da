extension MetricsShard {
    /// The figures in Prometheus' text format, version 0.0.4.
    ///
    /// Metrics come in the order of ``Metric``, series sorted by their labels, so that two scrapes can be
    /// compared. A metric without series is left out.
    public var exposition: String {
        var text = Exposition(.text)
        text.write(self)
        return text.text
    }

    /// The figures in OpenMetrics 1.0, with exemplars.
    ///
    /// - Parameter epoch: what added to the seconds of exemplars gives seconds since 1970.
    public func openMetrics(epoch: Double) -> String {
        var text = Exposition(.openMetrics(epoch: epoch))
        text.write(self)
        return text.text + "# EOF\n"
    }
}

/// Writes figures in a format that Prometheus reads.
///
/// Bounds are floats in both formats (`1.0`), as OpenMetrics asks, so that series keep their names when a server
/// changes from one format to the other.
///
/// Sources: "Exposition formats" of Prometheus' documentation; "OpenMetrics 1.0", sections "Text format" and
/// "Exemplars".
private struct Exposition {
    enum Format {
        case text
        case openMetrics(epoch: Double)
    }

    private let epoch: Double?
    private(set) var text = ""

    init(_ format: Format) {
        switch format {
        case .text: epoch = nil
        case .openMetrics(let seconds): epoch = seconds
        }
    }

    private var isOpenMetrics: Bool { epoch != nil }

    mutating func write(_ shard: MetricsShard) {
        for metric in Metric.allCases {
            let description = metric.description
            if case .histogram(let bounds) = description.kind {
                write(shard.histograms(of: metric), bounds, description)
            } else {
                write(shard.values(of: metric), description)
            }
        }
    }

    private mutating func write(
        _ series: [(labels: Labels, value: Double)],
        _ description: Metric.Description
    ) {
        guard !series.isEmpty else { return }
        writeHead(description)
        for (labels, value) in description.sorted(series) {
            write(description.name, "", labels)
            text += number(value)
            text += "\n"
        }
    }

    private mutating func write(
        _ series: [(labels: Labels, value: Histogram)],
        _ bounds: [Double],
        _ description: Metric.Description
    ) {
        guard !series.isEmpty else { return }
        writeHead(description)
        let bounds = bounds.map(\.description) + ["+Inf"]
        for (labels, histogram) in description.sorted(series) {
            let comma = labels.isEmpty ? "" : ","
            var total: UInt64 = 0
            for (bucket, count) in histogram.counts.enumerated() {
                total += count
                write(description.name, "_bucket", "\(labels)\(comma)le=\"\(bounds[bucket])\"")
                text += String(total)
                if bucket < histogram.exemplars.count { write(histogram.exemplars[bucket]) }
                text += "\n"
            }
            write(description.name, "_sum", labels)
            text += number(histogram.sum)
            text += "\n"
            write(description.name, "_count", labels)
            text += String(total)
            text += "\n"
        }
    }

    /// OpenMetrics names a family of counters without `_total`.
    private mutating func writeHead(_ description: Metric.Description) {
        let name =
            isOpenMetrics && description.kind == .counter
            ? String(description.name.dropLast("_total".count)) : description.name
        text += "# HELP \(name) \(description.help)\n# TYPE \(name) \(description.kind.word)\n"
        guard isOpenMetrics else { return }
        for unit in ["seconds", "bytes", "ratio"] where name.hasSuffix("_" + unit) {
            text += "# UNIT \(name) \(unit)\n"
        }
    }

    private mutating func write(_ name: String, _ suffix: String, _ labels: String) {
        text += name
        text += suffix
        if !labels.isEmpty {
            text += "{"
            text += labels
            text += "}"
        }
        text += " "
    }

    private mutating func write(_ exemplar: Exemplar?) {
        guard let epoch, let exemplar else { return }
        let milliseconds = ((epoch + exemplar.seconds) * 1000).rounded()
        text += " # {trace_id=\"\(escaped(exemplar.traceID))\"} \(number(exemplar.value))"
        text += " \(number(milliseconds / 1000))"
    }
}

extension Metric.Kind {
    /// As the formats and README call it.
    var word: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}

extension Metric.Description {
    /// The series with their labels written, in the order of these.
    fileprivate func sorted<Value>(
        _ series: [(labels: Labels, value: Value)]
    ) -> [(labels: String, value: Value)] {
        series.map { (rendered($0.labels), $0.value) }.sorted { $0.0 < $1.0 }
    }

    private func rendered(_ values: Labels) -> String {
        labels.enumerated().map { place, name in "\(name)=\"\(escaped(values.text(at: place)))\"" }
            .joined(separator: ",")
    }
}

private func number(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e15 ? String(Int64(value)) : String(value)
}

private func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
        switch character {
        case "\\": result += "\\\\"
        case "\"": result += "\\\""
        case "\n": result += "\\n"
        default: result.unicodeScalars.append(character)
        }
    }
    return result
}
