/// The figures of one event loop.
///
/// Each loop counts for itself without a lock; a scrape takes a copy of every shard and adds them up. A series
/// is never removed, so labels must come from closed sets.
public struct MetricsShard: Sendable {
    private var values = SeriesTable<Double>()
    private var histograms = SeriesTable<Histogram>()

    /// Where a histogram's series stands in one shard.
    public struct HistogramPlace: Sendable {
        fileprivate let index: Int
    }

    public init() {}

    /// Adds to a counter or a gauge.
    public mutating func add(_ metric: Metric, _ labels: Labels = .none, _ amount: Double = 1) {
        let place = values.place(of: SeriesKey(metric: metric, labels: labels)) { 0 }
        values.entries[place].value += amount
    }

    /// Sets a gauge.
    public mutating func set(_ metric: Metric, _ labels: Labels = .none, to value: Double) {
        let place = values.place(of: SeriesKey(metric: metric, labels: labels)) { 0 }
        values.entries[place].value = value
    }

    /// Makes the series of a histogram, empty at first, so that it need not be looked up for each value.
    public mutating func place(of metric: Metric, _ labels: Labels) -> HistogramPlace {
        let key = SeriesKey(metric: metric, labels: labels)
        return HistogramPlace(index: histograms.place(of: key) { metric.emptyHistogram })
    }

    /// Puts a value into a histogram.
    public mutating func observe(at place: HistogramPlace, _ value: Double) {
        histograms.entries[place.index].value.observe(value)
    }

    /// Puts a value into a histogram; a metric that is none is left alone.
    public mutating func observe(_ metric: Metric, _ labels: Labels = .none, _ value: Double) {
        guard metric.isHistogram else { return }
        let place = histograms.place(of: SeriesKey(metric: metric, labels: labels)) { metric.emptyHistogram }
        histograms.entries[place].value.observe(value)
    }

    /// Puts a value into a histogram and keeps it as the exemplar of its bucket.
    ///
    /// - Parameters:
    ///   - trace: the request's trace id, 32 hexadecimal digits.
    ///   - seconds: the present instant of a clock that only goes forward.
    /// - Complexity: O(1) in memory: a bucket has one exemplar.
    public mutating func observe(
        _ metric: Metric,
        _ labels: Labels = .none,
        _ value: Double,
        trace: String,
        at seconds: Double
    ) {
        guard metric.isHistogram else { return }
        let place = histograms.place(of: SeriesKey(metric: metric, labels: labels)) { metric.emptyHistogram }
        histograms.entries[place].value.observe(Exemplar(traceID: trace, value: value, seconds: seconds))
    }

    /// Adds another shard's figures; gauges add up too, since each loop holds its own share.
    public mutating func merge(_ other: MetricsShard) {
        for (key, value) in other.values.entries { add(key.metric, key.labels, value) }
        for (key, histogram) in other.histograms.entries {
            let place = histograms.place(of: key) { key.metric.emptyHistogram }
            histograms.entries[place].value.merge(histogram)
        }
    }

    /// A counter or a gauge as it stands; 0 for a series that nobody has touched.
    public func value(of metric: Metric, _ labels: Labels = .none) -> Double {
        values.entries.first { $0.key == SeriesKey(metric: metric, labels: labels) }?.value ?? 0
    }

    /// The series of a counter or a gauge.
    func values(of metric: Metric) -> [(labels: Labels, value: Double)] {
        values.entries.filter { $0.key.metric == metric }.map { ($0.key.labels, $0.value) }
    }

    /// The series of a histogram.
    func histograms(of metric: Metric) -> [(labels: Labels, value: Histogram)] {
        histograms.entries.filter { $0.key.metric == metric }.map { ($0.key.labels, $0.value) }
    }
}

extension Metric {
    fileprivate var isHistogram: Bool {
        switch self {
        case .requestDuration, .timeToFirstToken, .outputToken, .overhead, .countError, .prefixKept,
            .egressConnect:
            true
        default: false
        }
    }

    fileprivate var emptyHistogram: Histogram {
        guard case .histogram(let bounds) = description.kind else { return Histogram(bounds: []) }
        return Histogram(bounds: bounds)
    }
}
