internal import NIOCore
internal import Policies

extension Exchange {
    /// Counts what was just sent, if nothing has yet, so that the answer can be compared with it.
    ///
    /// While the upstream works on it: nobody waits for the figure.
    func countForComparison() {
        guard record.countedTokens == nil, let decision, let target = attempt?.target, attempt?.prefill == nil
        else {
            return
        }
        guard loop.countAllowance.take(decision.request.textBytes, at: .now()) else { return }
        let counting = loop.model(target.model, of: variant).counting
        record.countedTokens = decision.request.tokens(by: counting)
    }
}
