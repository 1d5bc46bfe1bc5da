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
                # HELP sidecar_upstream_attempts_total \(Metric.attempts.description.help)
                # TYPE sidecar_upstream_attempts_total counter
                sidecar_upstream_attempts_total{target="claude",outcome="rate_limited"} 2
                sidecar_upstream_attempts_total{target="gemini",outcome="ok"} 1
                # HELP sidecar_breaker_state 0 closed, 1 half-open, 2 open.
                # TYPE sidecar_breaker_state gauge
                sidecar_breaker_state{target="claude"} 2
                # HELP sidecar_cost_usd_total \(Metric.cost.description.help)
                # TYPE sidecar_cost_usd_total counter
                sidecar_cost_usd_total{model="claude",experiment="",arm=""} 0.0375
                # HELP sidecar_count_error_ratio \(Metric.countError.description.help)
                # TYPE sidecar_count_error_ratio histogram
                sidecar_count_error_ratio_bucket{model="claude",le="0.5"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="0.7"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="0.8"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="0.9"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="0.95"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="0.98"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="1.0"} 0
                sidecar_count_error_ratio_bucket{model="claude",le="1.02"} 1
                sidecar_count_error_ratio_bucket{model="claude",le="1.05"} 2
                sidecar_count_error_ratio_bucket{model="claude",le="1.1"} 2
                sidecar_count_error_ratio_bucket{model="claude",le="1.2"} 2
                sidecar_count_error_ratio_bucket{model="claude",le="1.3"} 2
                sidecar_count_error_ratio_bucket{model="claude",le="1.5"} 2
                sidecar_count_error_ratio_bucket{model="claude",le="2.0"} 2
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
        "OpenMetrics, byte for byte: families of counters without their ending, units, exemplars and an end"
    )
    func openMetrics() {
        var shard = MetricsShard()
        shard.add(.logLinesDropped, .none, 3)
        shard.observe(.prefixKept, .none, 0, trace: "0af7651916cd43dd8448eb211c80319c", at: 12.3456)
        shard.observe(.prefixKept, .none, 0.3)
        shard.observe(.prefixKept, .none, 0.97, trace: "first", at: 1)
        shard.observe(.prefixKept, .none, 0.96, trace: "second", at: 1)
        let labels = #"route="",experiment="",arm="""#

        #expect(
            shard.openMetrics(epoch: 1_700_000_000) == """
                # HELP sidecar_prefix_kept_ratio \(Metric.prefixKept.description.help)
                # TYPE sidecar_prefix_kept_ratio histogram
                # UNIT sidecar_prefix_kept_ratio ratio
                sidecar_prefix_kept_ratio_bucket{\(labels),le="0.0"} 1 # {trace_id="0af7651916cd43dd8448eb211c80319c"} 0 1700000012.346
                sidecar_prefix_kept_ratio_bucket{\(labels),le="0.1"} 1
                sidecar_prefix_kept_ratio_bucket{\(labels),le="0.25"} 1
                sidecar_prefix_kept_ratio_bucket{\(labels),le="0.5"} 2
                sidecar_prefix_kept_ratio_bucket{\(labels),le="0.75"} 2
                sidecar_prefix_kept_ratio_bucket{\(labels),le="0.9"} 2
                sidecar_prefix_kept_ratio_bucket{\(labels),le="0.95"} 2
                sidecar_prefix_kept_ratio_bucket{\(labels),le="0.99"} 4 # {trace_id="second"} 0.96 1700000001
                sidecar_prefix_kept_ratio_bucket{\(labels),le="0.999"} 4
                sidecar_prefix_kept_ratio_bucket{\(labels),le="1.0"} 4
                sidecar_prefix_kept_ratio_bucket{\(labels),le="+Inf"} 4
                sidecar_prefix_kept_ratio_sum{\(labels)} 2.23
                sidecar_prefix_kept_ratio_count{\(labels)} 4
                # HELP sidecar_log_lines_dropped Log lines lost because standard output was blocked.
                # TYPE sidecar_log_lines_dropped counter
                sidecar_log_lines_dropped_total 3
                # EOF

                """
        )
        #expect(!shard.exposition.contains("trace_id") && !shard.exposition.contains("# EOF"))
    }

    @Test("of the exemplars of several loops the newest is kept, in whatever order they are added up")
    func newestExemplar() {
        var shards = [MetricsShard(), MetricsShard(), MetricsShard()]
        for (place, seconds) in [(0, 5.0), (1, 9), (2, 7)] {
            shards[place].observe(.requestDuration, .none, 0.3, trace: "of \(seconds)", at: seconds)
        }
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            var total = MetricsShard()
            for place in order { total.merge(shards[place]) }

            let text = total.openMetrics(epoch: 0)

            #expect(text.contains(#"# {trace_id="of 9.0"} 0.3 9"# + "\n"))
            #expect(text.split(separator: "trace_id").count == 2)
        }
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
        #expect(description.help.hasSuffix(".") && !description.help.contains { "\\\n\"|".contains($0) })
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
