extension MetricsShard {
    /// The figures in Prometheus' text format, version 0.0.4.
    ///
    /// Metrics come in the order of ``Metric``, series sorted by their labels, so that two scrapes can be
    /// compared. A metric without series is left out.
    public var exposition: String {
        var text = ""
        for metric in Metric.allCases {
            let description = metric.description
            let lines = samples(of: metric, description)
            guard !lines.isEmpty else { continue }
            text += "# HELP \(description.name) \(description.help)\n"
            text += "# TYPE \(description.name) \(description.kind.word)\n"
            for line in lines.sorted(by: { $0.labels < $1.labels }) { text += line.text }
        }
        return text
    }

    private struct Sample {
        let labels: String
        let text: String
    }

    private func samples(of metric: Metric, _ description: Metric.Description) -> [Sample] {
        if case .histogram = description.kind {
            return histograms(of: metric).map { labels, histogram in
                let labels = description.rendered(labels)
                return Sample(labels: labels, text: histogram.lines(description.name, labels))
            }
        }
        return values(of: metric).map { labels, value in
            let labels = description.rendered(labels)
            let braces = labels.isEmpty ? "" : "{\(labels)}"
            return Sample(labels: labels, text: "\(description.name)\(braces) \(number(value))\n")
        }
    }
}

extension Metric.Kind {
    fileprivate var word: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}

extension Metric.Description {
    fileprivate func rendered(_ values: Labels) -> String {
        labels.enumerated().map { place, name in "\(name)=\"\(escaped(values.text(at: place)))\"" }
            .joined(separator: ",")
    }
}

extension Histogram {
    fileprivate func lines(_ name: String, _ labels: String) -> String {
        let comma = labels.isEmpty ? "" : ","
        let braces = labels.isEmpty ? "" : "{\(labels)}"
        var text = ""
        var total: UInt64 = 0
        for (bucket, count) in counts.enumerated() {
            total += count
            let bound = bucket < bounds.count ? number(bounds[bucket]) : "+Inf"
            text += "\(name)_bucket{\(labels)\(comma)le=\"\(bound)\"} \(total)\n"
        }
        return text + "\(name)_sum\(braces) \(number(sum))\n\(name)_count\(braces) \(total)\n"
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
