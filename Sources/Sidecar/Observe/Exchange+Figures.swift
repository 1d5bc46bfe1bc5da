internal import NIOCore
internal import Policies
internal import Wire

/// What an exchange notes for the figures alone; nothing of it decides anything.
extension Exchange {
    /// Keeps what LiteLLM says that the answer cost.
    func noteStatedCost() {
        guard isInspected, let answer, let field = answer.head.first(.responseCost) else { return }
        record.figures.statedCost = answer.bytes.withUnsafeReadableBytes { raw in
            let text = raw.slice(field.value)
            return text.count <= 32 ? Double(String(decoding: text, as: UTF8.self)) : nil
        }
    }

    /// Compares what was forwarded with what was for the previous turn, if the loop has time for it.
    func noteKeptPrefix() {
        guard let decision, let plan, plan.route != nil, let attempt, let messages = attempt.messages,
            let conversation = decision.request.facts.conversation, (answer?.head.status ?? 500) < 300,
            loop.turnAllowance.take(1, at: .now())
        else { return }
        let place = PrefixMemory.Place(
            conversation: conversation,
            primary: decision.plan.attempts[decision.plan.primaryPlace].target
        )
        record.figures.keptPrefix = attempt.body?.withUnsafeReadableBytes { raw in
            loop.shared.prefixes.keptShare(of: raw.slice(messages), at: place, by: attempt.target)
        }
    }

    /// The request is over: notes what is known only now.
    func noteFigures() {
        record.figures.relay.end()
        record.figures.outputEvents = answer?.reader?.outputEventCount ?? 0
        if let answer, answer.isConfirmed, !answer.hasOutcome { observeAttempt(outcome: .ok) }
    }
}
