/// Counts by bucket.
struct Histogram: Equatable, Sendable {
    let bounds: [Double]
    /// One more than bounds: the last one is for what is above them all.
    private(set) var counts: [UInt64]
    private(set) var sum = 0.0
    /// The newest of each bucket, so that they take the same memory whatever happens; empty until there is one.
    private(set) var exemplars: [Exemplar?] = []

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    mutating func observe(_ value: Double) {
        counts[bucket(of: value)] += 1
        sum += value
    }

    /// Observes a value of a request that can be looked up.
    mutating func observe(_ exemplar: Exemplar) {
        let bucket = bucket(of: exemplar.value)
        counts[bucket] += 1
        sum += exemplar.value
        if exemplars.isEmpty { exemplars = Array(repeating: nil, count: counts.count) }
        exemplars[bucket] = exemplar
    }

    mutating func merge(_ other: Histogram) {
        for bucket in counts.indices { counts[bucket] += other.counts[bucket] }
        sum += other.sum
        guard !other.exemplars.isEmpty else { return }
        if exemplars.isEmpty { exemplars = Array(repeating: nil, count: counts.count) }
        for (bucket, exemplar) in other.exemplars.enumerated() {
            guard let exemplar else { continue }
            if let own = exemplars[bucket], own.seconds >= exemplar.seconds { continue }
            exemplars[bucket] = exemplar
        }
    }

    private func bucket(of value: Double) -> Int {
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        return bucket
    }
}
