internal import Policies

/// What a history was cut to, message by message left out: what the log, the figures and the status page tell.
struct ClipFigures: Encodable, Equatable, Sendable {
    let dropped: Int
    let kept: Int
    let before: Int
    let after: Int
    let budget: Int

    /// What the log line tells.
    var fields: [(name: StaticString, value: Int)] {
        [("dropped", dropped), ("kept", kept), ("before", before), ("after", after), ("budget", budget)]
    }
}

extension ClipFigures {
    init(_ receipt: ClipReceipt) {
        self.init(
            dropped: receipt.dropped,
            kept: receipt.kept,
            before: receipt.before,
            after: receipt.after,
            budget: receipt.budget.tokens
        )
    }
}
