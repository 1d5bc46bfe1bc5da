internal import Policies
internal import Synchronization

/// What is remembered between requests and decides about the next one: breakers, sticky conversations, the errors of
/// counts, and who cannot fetch images.
///
/// Shared by the event loops and kept over a reload.
final class RouteMemory: Sendable {
    let breakers = Breakers()
    let calibration = CalibrationMemory()
    let imageFetches = ImageFetches()
    private let sticky = Mutex(StickyRoutes())
    /// Read without the lock: mostly no conversation has been moved.
    private let stickyCount = Gauge()

    /// A conversation at one model: a client may ask several models in one chat, and each goes its own way.
    struct Place {
        let conversation: StableDigest
        /// The first member of the chain.
        let primary: Target

        fileprivate var key: StableDigest {
            var hasher = StableHasher()
            hasher.combine(conversation)
            hasher.combine(primary.model)
            hasher.combine(primary.upstream)
            return hasher.finalize()
        }
    }

    /// How a target gets the images of a request.
    ///
    /// - Parameter kind: of the target's upstream.
    func imageForm(for target: Target, at kind: Upstream.Kind, _ settings: PolicySettings) -> ImageForm {
        ImageFormQuestion(
            configured: settings.rule(for: target.model)?.images ?? .inline,
            upstreamTakesURLs: kind == .litellm,
            couldNotFetch: imageFetches.failed(target)
        ).form
    }

    /// The plan in the order that the past of its conversation asks for.
    func steered(_ plan: Plan, for facts: RequestFacts) -> Plan {
        guard let conversation = facts.conversation else { return plan }
        let primary = plan.attempts[plan.primaryPlace].target
        let key = Place(conversation: conversation, primary: primary).key
        guard let route = sticky.withLock({ $0.route(of: key) }) else { return plan }
        let situation = Situation(now: .now, sticky: route, primary: breakers.forecast(of: primary))
        return plan.steered(by: situation, for: facts)
    }

    /// Remembers where a conversation was answered.
    ///
    /// - Parameters:
    ///   - wasThere: whether the request began with the fallback, so that its answer is no new move.
    ///   - stay: how long it stays where it was moved to.
    func answered(_ place: Place, _ change: Stickiness, wasThere: Bool, stay: Duration) {
        let key = place.key
        sticky.withLock { routes in
            switch change {
            case .none: break
            case .returned: routes.returned(key)
            case .moved(let target):
                if !wasThere { routes.returned(key) }
                routes.moved(key, to: target, until: .now + stay)
            }
            stickyCount.set(to: routes.count)
        }
    }

    /// Whether nothing is remembered, so that there is nothing to forget.
    var isEmpty: Bool { stickyCount.value == 0 }

    /// Conversations that were moved and have not gone back.
    var movedConversations: Int { stickyCount.value }
}
