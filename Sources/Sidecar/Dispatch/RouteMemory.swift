internal import Policies
internal import Synchronization

/// What is remembered between requests and decides where the next one goes: breakers and sticky conversations.
///
/// Shared by the event loops and kept over a reload.
final class RouteMemory: Sendable {
    let breakers = Breakers()
    private let sticky = Mutex(StickyRoutes())
    /// Read without the lock: mostly no conversation has been moved.
    private let stickyCount = Gauge()

    /// What a plan has to know of the past; nil for a conversation that was never moved.
    ///
    /// - Parameter primary: the first member of the conversation's chain.
    func situation(of conversation: StableDigest?, primary: Target) -> Situation? {
        guard let conversation, stickyCount.value > 0,
            let route = sticky.withLock({ $0.route(of: conversation) })
        else { return nil }
        return Situation(now: .now, sticky: route, primary: breakers.forecast(of: primary))
    }

    /// Remembers where a conversation was answered.
    ///
    /// - Parameter stay: how long it stays where it was moved to.
    func answered(_ conversation: StableDigest, _ change: Stickiness, stay: Duration) {
        let count = sticky.withLock { routes -> Int in
            switch change {
            case .none: break
            case .moved(let target): routes.moved(conversation, to: target, until: .now + stay)
            case .returned: routes.returned(conversation)
            }
            return routes.count
        }
        stickyCount.set(to: count)
    }

    /// Whether nothing is remembered, so that there is nothing to forget.
    var isEmpty: Bool { stickyCount.value == 0 }

    /// Conversations that were moved and have not gone back.
    var movedConversations: Int { stickyCount.value }
}
