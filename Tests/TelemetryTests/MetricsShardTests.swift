import Telemetry
import Testing

@Suite("Loops count for themselves and are added up")
struct MetricsShardTests {
    /// Figures of every metric, in quarters so that their sums are exact in any order.
    private static let events: [(metric: Metric, labels: Labels, value: Double)] = (0..<600).map { number in
        let metric = Metric.allCases[number % Metric.allCases.count]
        return (metric, metric.labels("a\(number % 7)", "b\(number % 3)"), Double(number * 37 % 101) / 4)
    }

    @Test("however events are spread over shards, the sum is the same", arguments: 1...8)
    func merges(shards: Int) {
        var one = MetricsShard()
        var several = Array(repeating: MetricsShard(), count: shards)
        for (number, event) in Self.events.enumerated() {
            one.fill(event.metric, event.labels, event.value)
            several[number * number % shards].fill(event.metric, event.labels, event.value)
        }

        var forward = MetricsShard()
        several.forEach { forward.merge($0) }
        var backward = MetricsShard()
        several.reversed().forEach { backward.merge($0) }

        #expect(forward.exposition == one.exposition)
        #expect(backward.exposition == one.exposition)
    }

    @Test("a copy taken for a scrape does not see later events")
    func copies() {
        var shard = MetricsShard()
        shard.add(.logLinesDropped)
        let copy = shard
        shard.add(.logLinesDropped)

        #expect(copy.exposition.hasSuffix(" 1\n"))
        #expect(shard.exposition.hasSuffix(" 2\n"))
    }

    @Test("setting replaces, adding adds, below zero too")
    func gauges() {
        var shard = MetricsShard()
        shard.set(.streamsOpen, to: 5)
        shard.set(.streamsOpen, to: 2)
        shard.add(.streamsOpen, .none, -3)

        #expect(shard.exposition.hasSuffix("\nsidecar_streams_open -1\n"))
    }

    @Test("a value on a bound is counted below it, and one above all bounds in +Inf only")
    func bounds() throws {
        guard case .histogram(let bounds) = Metric.overhead.description.kind else {
            Issue.record("no histogram")
            return
        }
        for (place, bound) in bounds.enumerated() {
            var shard = MetricsShard()
            shard.observe(.overhead, .none, bound)
            shard.observe(.overhead, .none, bound.nextUp)

            let buckets = try Scrape(reading: shard.exposition).families[0].samples.filter { $0.bound != nil }

            let expected = bounds.indices.map { $0 < place ? 0.0 : $0 == place ? 1 : 2 } + [2]
            #expect(buckets.map(\.value) == expected)
        }
    }
}

@Suite("Labels are interned")
struct LabelTests {
    @Test("equal texts are one label, and give their text back")
    func interns() {
        #expect(Label("claude") == Label("claude"))
        #expect(Label("claude") != Label("Claude"))
        #expect(Label("claude").text == "claude")
        #expect(Label("") == .none && Label.none.text.isEmpty)
        #expect(Label("other") == .other)
    }

    @Test("values that are left out are empty ones, and the order counts")
    func labels() {
        #expect(Labels(Label("a")) == Labels(Label("a"), .none))
        #expect(Labels() == .none)
        #expect(Labels(Label("a"), Label("b")) != Labels(Label("b"), Label("a")))
    }

    @Test("a thousand series of one metric stay apart")
    func hashing() {
        var seen: Set<Labels> = []
        for first in 0..<10 {
            for second in 0..<10 {
                for third in 0..<10 {
                    seen.insert(Labels(Label("h\(first)"), Label("h\(second)"), Label("h\(third)")))
                }
            }
        }

        #expect(seen.count == 1000)
    }
}
