/// The upper bounds of the histograms' buckets.
///
/// Chosen for answers of language models, whose times spread over four powers of ten. Neighbours differ by a factor of
/// at most two and a half, and by less where a decision is likely: a quantile that Prometheus interpolates within a
/// bucket is then off by less than what an engineer would act on. A bound costs one series for every set of labels, so
/// there are no more than that takes. Means, by `_sum` and `_count`, are exact whatever the bounds.
enum Buckets {
    /// Seconds of a whole request: from an answer that the provider had cached to the longest reasoning, which
    /// `timeouts.totalSeconds` ends at half an hour.
    static let durations: [Double] = [
        0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640, 1280,
    ]

    /// Seconds until somebody who waits sees something: finest from 200 ms to 5 s, where a change is felt.
    ///
    /// Reasoning that a provider does not show can take minutes.
    static let firstTokens: [Double] = [
        0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 12, 20, 40, 80, 160,
    ]

    /// Seconds for one token: from a thousand a second, as the fastest hardware makes, to one that crawls; most
    /// models make 20 to 200 a second.
    static let outputTokens: [Double] = [
        0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2, 0.5, 1,
    ]

    /// Seconds that the sidecar itself spends: microseconds, unless something is wrong.
    static let overheads: [Double] = [
        0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01,
        0.05, 0.25, 1, 5,
    ]

    /// Seconds from a proxy next door to one that times out.
    static let connects: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]

    /// Ratios about 1.
    static let countErrors: [Double] = [
        0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1, 1.02, 1.05, 1.1, 1.2, 1.3, 1.5, 2,
    ]

    /// Shares of a whole: the first bucket is for nothing, the last for everything.
    static let shares: [Double] = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1]
}
