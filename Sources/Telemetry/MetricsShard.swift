/// The figures of one event loop.
///
/// Each loop counts for itself without a lock; a scrape takes a copy of every shard and adds them up. A series
/// is never removed, so labels must come from closed sets.
public struct MetricsShard: Sendable {
    struct Key: Hashable {
        let metric: Metric
        let labels: Labels
    }

    private(set) var values: [Key: Double] = [:]
    private(set) var histograms: [Key: Histogram] = [:]

    public init() {}

    /// Adds to a counter or a gauge.
    public mutating func add(_ metric: Metric, _ labels: Labels = .none, _ amount: Double = 1) {
        values[Key(metric: metric, labels: labels), default: 0] += amount
    }

    /// Sets a gauge.
    public mutating func set(_ metric: Metric, _ labels: Labels = .none, to value: Double) {
        values[Key(metric: metric, labels: labels)] = value
    }

    /// Puts a value into a histogram; a metric that is none is left alone.
    public mutating func observe(_ metric: Metric, _ labels: Labels = .none, _ value: Double) {
        let key = Key(metric: metric, labels: labels)
        if histograms[key]?.observe(value) != nil { return }
        guard case .histogram(let bounds) = metric.description.kind else { return }
        var histogram = Histogram(bounds: bounds)
        histogram.observe(value)
        histograms[key] = histogram
    }

    /// Adds another shard's figures; gauges add up too, since each loop holds its own share.
    public mutating func merge(_ other: MetricsShard) {
        values.merge(other.values, uniquingKeysWith: +)
        histograms.merge(other.histograms) { mine, theirs in mine.merged(with: theirs) }
    }
}

/// Counts by bucket.
struct Histogram: Equatable, Sendable {
    let bounds: [Double]
    /// One more than bounds: the last one is for what is above them all.
    private(set) var counts: [UInt64]
    private(set) var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    mutating func observe(_ value: Double) {
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        counts[bucket] += 1
        sum += value
    }

    func merged(with other: Histogram) -> Histogram {
        var result = self
        for bucket in counts.indices { result.counts[bucket] += other.counts[bucket] }
        result.sum += other.sum
        return result
    }
}
