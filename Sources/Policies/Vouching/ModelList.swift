/// The models that a LiteLLM lists for a client.
///
/// Names are kept as hashes, eight bytes each, so that long lists of many clients cost little.
struct ModelList: Equatable, Sendable {
    /// Of a longer list what stands behind this place is left out: those models are not listed.
    static let maxCount = 4_096

    /// Ascending.
    private let names: [UInt64]
    /// Names with a `*`: LiteLLM lists a deployment for a whole provider as `anthropic/*`.
    private let patterns: [Glob]

    /// - Complexity: O(*n* log *n*).
    init(_ models: [String]) {
        let models = models.prefix(Self.maxCount)
        names = models.lazy.filter { !$0.utf8.contains(Self.star) }.map(Self.hash).sorted()
        patterns = models.filter { $0.utf8.contains(Self.star) }.map { Glob($0) }
    }

    /// Whether a model is listed, by its name or by a pattern.
    ///
    /// - Complexity: O(log *n*) in the names, O(*n*) in the patterns.
    func contains(_ model: String) -> Bool {
        containsName(Self.hash(of: model)) || patterns.contains { $0.matches(model) }
    }

    private func containsName(_ hash: UInt64) -> Bool {
        var (low, high) = (0, names.count)
        while low < high {
            let middle = (low + high) / 2
            if names[middle] == hash { return true }
            if names[middle] < hash { low = middle + 1 } else { high = middle }
        }
        return false
    }

    private static let star = UInt8(ascii: "*")

    private static func hash(of model: String) -> UInt64 {
        var hasher = StableHasher()
        hasher.combine(model)
        return hasher.finalize().high
    }
}
