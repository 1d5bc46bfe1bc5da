internal import Synchronization
internal import Telemetry

/// Models that an upstream has shown to list, beside those that the configuration spells out.
///
/// LiteLLM names the group that answered in `x-litellm-model-group`; a name is taken over only from there, since
/// a label that a client could choose would let it create series without end. Kept over a reload.
final class ListedModels: Sendable {
    /// More are not told apart: an upstream with wildcard groups lists whatever its provider accepts.
    private static let maxCount = 256

    private let labels = Mutex<[String: Label]>([:])
    private let gauge = Gauge()

    /// How many there are; none is ever removed.
    var count: Int { gauge.value }

    subscript(model: String) -> Label? {
        labels.withLock { $0[model] }
    }

    func insert(_ model: String) {
        labels.withLock { labels in
            // Labels are kept for good: none is made for a name that is not.
            if labels.count < Self.maxCount { labels[model] = Label(model) }
            gauge.set(to: labels.count)
        }
    }
}
