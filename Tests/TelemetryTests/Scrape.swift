import Testing

/// Metrics in the text format, read back by its rules: HELP before TYPE before samples, one group a name, no
/// series twice.
struct Scrape {
    struct Family {
        var name: String
        var kind: String
        var samples: [Sample] = []
    }

    struct Sample {
        var name: String
        /// As written, without `le`.
        var labels: String
        var bound: Substring?
        var value: Double
    }

    var families: [Family] = []

    init(reading text: String) throws {
        var helped: Substring?
        var series: Set<Substring> = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if let match = line.wholeMatch(of: /# HELP (\w+) .+/) {
                helped = match.1
            } else if let match = line.wholeMatch(of: /# TYPE (\w+) (counter|gauge|histogram)/) {
                #expect(helped == match.1 && !families.contains { $0.name == String(match.1) })
                families.append(Family(name: String(match.1), kind: String(match.2)))
            } else {
                try add(line, &series)
            }
        }
    }

    private mutating func add(_ line: Substring, _ series: inout Set<Substring>) throws {
        let match = try #require(
            line.wholeMatch(
                of:
                    /(?<series>(?<name>\w+)(?:\{(?<labels>(?:\w+="(?:[^"\\\n]|\\["\\n])*",?)+)\})?) (?<value>\S+)/
            )
        )
        let last = try #require(families.indices.last)
        let family = families[last]
        let name = String(match.output.name)
        let suffixes = family.kind == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        #expect(suffixes.contains { name == family.name + $0 })
        #expect(series.insert(match.output.series).inserted, "a series occurs twice")
        let labels = match.output.labels ?? ""
        let bound = labels.firstMatch(of: /,?le="([^"]*)"/)
        let value = try #require(Double(match.output.value))
        let others = String(labels).replacing(/,?le="[^"]*"/, with: "")
        families[last].samples.append(Sample(name: name, labels: others, bound: bound?.1, value: value))
    }
}

extension Scrape.Family {
    /// Buckets are cumulative and end with `+Inf`, which counts everything.
    func checkHistogram() throws {
        guard kind == "histogram" else { return }
        for labels in Set(samples.map(\.labels)) {
            let own = samples.filter { $0.labels == labels }
            let buckets = own.filter { $0.name.hasSuffix("_bucket") }
            #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $0.value <= $1.value })
            #expect(buckets.last?.bound == "+Inf")
            let count = try #require(own.last { $0.name.hasSuffix("_count") })
            #expect(buckets.last?.value == count.value)
            #expect(own.contains { $0.name.hasSuffix("_sum") })
        }
    }
}
