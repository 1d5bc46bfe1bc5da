import Telemetry
import Testing

@Suite("Figures are exposed as Prometheus reads them")
struct ExpositionTests {
    @Test("byte for byte")
    func golden() {
        var shard = MetricsShard()
        shard.add(.attempts, Labels(Label("gemini"), Label("ok")))
        shard.add(.attempts, Labels(Label("claude"), Label("rate_limited")), 2)
        shard.add(.cost, Labels(Label("claude")), 0.0375)
        shard.set(.breakerState, Labels(Label("claude")), to: 2)
        shard.add(.logLinesDropped, .none, 3)
        shard.observe(.countError, Labels(Label("claude")), 1.02)
        shard.observe(.countError, Labels(Label("claude")), 1.03)
        shard.observe(.countError, Labels(Label("claude")), 7)

        #expect(
            shard.exposition == """
                # HELP sidecar_upstream_attempts_total Requests sent upstream, by outcome.
                # TYPE sidecar_upstream_attempts_total counter
                sidecar_upstream_attempts_total{target="claude",outcome="rate_limited"} 2
                sidecar_upstream_attempts_total{target="gemini",outcome="ok"} 1
                # HELP sidecar_breaker_state 0 closed, 1 half-open, 2 open.
                # TYPE sidecar_breaker_state gauge
                sidecar_breaker_state{target="claude"} 2
                # HELP sidecar_cost_usd_total Cost in US dollars by the configured prices.
                # TYPE sidecar_cost_usd_total counter
                sidecar_cost_usd_total{model="claude",experiment="",arm=""} 0.0375
                # HELP sidecar_count_error_ratio The provider's prompt tokens divided by those expected: counted here, times tokenScale.
                # TYPE sidecar_count_error_ratio histogram
                sidecar_count_error_ratio_bucket{model="claude",le="0.5"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="0.7"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="0.8"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="0.9"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="0.95"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="0.98"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="1"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="1.02"} 1
                sidecar_count_error_ratio_bucket{model="claude",le="1.05"} 2
                sidecar_count_error_ratio_bucket{model="claude",le="1.1"} 2
                sidecar_count_error_ratio_bucket{model="claude",le="1.2"} 2
                sidecar_count_error_ratio_bucket{model="claude",le="1.3"} 2
                sidecar_count_error_ratio_bucket{model="claude",le="1.5"} 2
                sidecar_count_error_ratio_bucket{model="claude",le="2"} 2
                sidecar_count_error_ratio_bucket{model="claude",le="+Inf"} 3
                sidecar_count_error_ratio_sum{model="claude"} 9.05
                sidecar_count_error_ratio_count{model="claude"} 3
                # HELP sidecar_log_lines_dropped_total Log lines lost because standard output was blocked.
                # TYPE sidecar_log_lines_dropped_total counter
                sidecar_log_lines_dropped_total 3

                """
        )
    }

    @Test(
        "label values are escaped",
        arguments: [
            ("a\"b", #"a\"b"#),
            (#"a\b"#, #"a\\b"#),
            ("a\nb", #"a\nb"#),
            (#"\n"#, #"\\n"#),
            ("a\rb\tc", "a\rb\tc"),
            ("日本語 🙂", "日本語 🙂"),
            ("}{,=", "}{,="),
        ]
    )
    func escapes(value: String, written: String) {
        var shard = MetricsShard()
        shard.set(.breakerState, Labels(Label(value)), to: 1)

        #expect(shard.exposition.hasSuffix("\nsidecar_breaker_state{target=\"\(written)\"} 1\n"))
    }

    @Test(
        "numbers are written as Go reads them",
        arguments: [
            (0, "0"), (-0.0, "0"), (1, "1"), (-3, "-3"), (0.1, "0.1"), (1e-7, "1e-07"),
            (123_456_789, "123456789"),
            (999_999_999_999_999, "999999999999999"), (1e15, "1000000000000000.0"), (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (.infinity, "inf"),
        ] as [(Double, String)]
    )
    func numbers(value: Double, written: String) {
        var shard = MetricsShard()
        shard.set(.residentMemory, to: value)

        #expect(shard.exposition.hasSuffix("\nprocess_resident_memory_bytes \(written)\n"))
    }

    @Test("a metric without series is left out, and a value put into what is no histogram")
    func empty() {
        var shard = MetricsShard()
        shard.observe(.streamsOpen, .none, 1)

        #expect(shard.exposition.isEmpty)
    }

    @Test(
        "every metric has a valid name, help and no more labels than a series holds",
        arguments: Metric.allCases
    )
    func descriptions(metric: Metric) {
        let description = metric.description

        #expect(description.name.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil)
        #expect(description.help.hasSuffix(".") && !description.help.contains { "\\\n".contains($0) })
        #expect(description.labels.allSatisfy { $0.wholeMatch(of: /[a-z][a-z_]*/) != nil && $0 != "le" })
        #expect(Set(description.labels).count == description.labels.count && description.labels.count <= 8)
        #expect(Metric.allCases.filter { $0.description.name == description.name } == [metric])
        switch description.kind {
        case .counter: #expect(description.name.hasSuffix("_total"))
        case .gauge: #expect(!description.name.hasSuffix("_total"))
        case .histogram(let bounds):
            #expect(!bounds.isEmpty && zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
            #expect(!["_total", "_count", "_sum", "_bucket"].contains { description.name.hasSuffix($0) })
        }
    }

    @Test("every metric obeys the text format's rules", arguments: Metric.allCases)
    func rules(metric: Metric) throws {
        var shard = MetricsShard()
        for value in [0.0, 0.5, 1e6, 0.004] {
            for labels in [metric.labels("", ""), metric.labels("a", "b\"\\\n")] {
                shard.fill(metric, labels, value)
            }
        }

        let scrape = try Scrape(reading: shard.exposition)

        #expect(scrape.families.map(\.name) == [metric.description.name])
        for family in scrape.families { try family.checkHistogram() }
    }
}

extension Metric {
    /// As many label values as the metric takes, but at most two.
    func labels(_ first: String, _ second: String) -> Labels {
        switch description.labels.count {
        case 0: .none
        case 1: Labels(Label(first))
        default: Labels(Label(first), Label(second))
        }
    }
}

extension MetricsShard {
    /// Puts a value into a metric of any kind.
    mutating func fill(_ metric: Metric, _ labels: Labels, _ value: Double) {
        if case .histogram = metric.description.kind {
            observe(metric, labels, value)
        } else {
            add(metric, labels, value)
        }
    }
}
