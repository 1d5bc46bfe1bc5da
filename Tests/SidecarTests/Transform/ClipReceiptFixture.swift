import Policies

@testable import Sidecar

extension ClipReceipt {
    /// A receipt of so many messages, the dropped ones first.
    init(dropped: Int, kept: Int, before: Int, after: Int, budget: Int) {
        let lines =
            Array(repeating: Line(role: "user", tokens: 1, fate: .dropped), count: dropped)
            + Array(repeating: Line(role: "user", tokens: 1, fate: .kept), count: kept)
        self.init(
            before: before,
            after: after,
            budget: Budget(tokens: budget, counting: Counting(encoding: "o200k_base")),
            lines: lines
        )
    }
}
