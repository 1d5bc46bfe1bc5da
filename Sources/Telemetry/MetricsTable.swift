/// README's tables of the metrics and of the bounds of their buckets, in Markdown.
public enum MetricsTable {
    public static var text: String {
        let metrics =
            ["| metric | type | labels | meaning |", "|---|---|---|---|"] + Metric.allCases.map(row)
        let buckets =
            ["| histogram | upper bounds of its buckets |", "|---|---|"] + Metric.allCases.compactMap(bounds)
        return (metrics + [""] + buckets).joined(separator: "\n") + "\n"
    }

    private static func row(_ metric: Metric) -> String {
        let description = metric.description
        let labels = description.labels.map { "`\($0)`" }.joined(separator: ", ")
        return "| `\(description.name)` | \(description.kind.word) | \(labels.isEmpty ? "–" : labels) | "
            + "\(description.help) |"
    }

    private static func bounds(_ metric: Metric) -> String? {
        let description = metric.description
        guard case .histogram(let bounds) = description.kind else { return nil }
        let texts = bounds.map { $0 == $0.rounded() ? String(Int($0)) : String($0) }
        return "| `\(description.name)` | \(texts.joined(separator: ", ")) |"
    }
}
