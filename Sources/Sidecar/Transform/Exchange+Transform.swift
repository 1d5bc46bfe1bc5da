internal import NIOCore
internal import Policies
internal import Wire

/// What an attempt sends: vouched for, with the images that its target takes, cut to its budget.
extension Exchange {
    func prepare(_ place: Int, budget: Budget?, onFreshConnection: Bool) {
        attempt?.budget = budget
        // Most requests wait for neither, and a closure costs more than the question.
        guard attempt?.upstream.settings.bearer != nil || snapshot.library != nil else {
            return makeBody(place, budget: budget, onFreshConnection: onFreshConnection)
        }
        whenVouched { exchange in
            exchange.whenImagesAreReady { exchange in
                exchange.makeBody(place, budget: budget, onFreshConnection: onFreshConnection)
            }
        }
    }

    private func makeBody(_ place: Int, budget: Budget?, onFreshConnection: Bool) {
        if let decision, decision.plan.route != nil {
            edit(decision, at: place, budget: budget, onFreshConnection: onFreshConnection)
        } else {
            putImagesIntoBody()
            connect(fresh: onFreshConnection)
        }
    }

    /// Makes the body of an attempt and goes on with it, unless the prompt does not fit.
    private func edit(_ decision: Decision, at place: Int, budget: Budget?, onFreshConnection: Bool) {
        let began = NIODeadline.now()
        let kind = attempt?.upstream.kind ?? .litellm
        let isOwnUpstream = attempt?.upstream.name == upstream?.name
        let (edits, clip) = (imageEdits + noticeRemovals, variant.configuration.policies.clip)
        let tried = attempt
        let prefill = prefillOfAttempt
        attempt?.prefill = prefill
        besideLoopIfLarge({
            AttemptBody.make(
                of: decision.request,
                for: decision.plan.attempts[place],
                budget: budget,
                isLast: place == decision.plan.attempts.count - 1,
                upstream: kind,
                isOwnUpstream: isOwnUpstream,
                edits: edits,
                prefill: prefill,
                clip: clip
            )
        }) { exchange, made in
            guard exchange.attempt === tried else { return }
            exchange.record.transformed(in: (NIODeadline.now() - began).nanoseconds)
            if exchange.take(made) { exchange.connect(fresh: onFreshConnection) }
        }
    }

    /// - Returns: false when the prompt does not fit; what follows from that is under way.
    private func take(_ made: AttemptBody) -> Bool {
        switch made {
        case .tooLong(let tokens, let budget):
            promptDidNotFit(tokens, budget)
            return false
        case .ready(let body, let isEdited, let clip, let tokens, let messages):
            attempt?.body = body
            attempt?.messages = messages
            attempt?.isEdited = isEdited
            attempt?.countedTokens = tokens
            attempt?.wasClipped = clip != nil
            record.countedTokens = tokens
            clipReceipt = clip
            return true
        }
    }

    private func promptDidNotFit(_ tokens: Int, _ budget: Int) {
        act(verdict: .withoutVerdict) { $0.promptDidNotFit(tokens: tokens, budget: budget) }
    }
}
