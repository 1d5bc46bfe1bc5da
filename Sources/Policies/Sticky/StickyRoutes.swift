/// The fallback that a conversation was moved to.
public struct StickyRoute: Equatable, Sendable {
    public var target: Target
    /// From here on the start of a turn goes back to the chain's own order.
    public var until: ContinuousClock.Instant

    public init(target: Target, until: ContinuousClock.Instant) {
        self.target = target
        self.until = until
    }
}

/// Which conversations were moved to a fallback, and where to.
///
/// Bounded: at capacity the conversation that was written longest ago is forgotten, and then starts anew with
/// its primary. Memory grows with what is remembered, not with the capacity.
///
/// - Complexity: O(1) each, whatever is remembered.
public struct StickyRoutes: Sendable {
    /// One remembered conversation, linked into the order of writing.
    private struct Entry: Sendable {
        var conversation: StableDigest
        var route: StickyRoute
        /// Written next before this one; in a free slot nothing.
        var older: Int?
        /// Written next after this one; in a free slot the next free one.
        var newer: Int?
    }

    private let capacity: Int
    private var slots: [StableDigest: Int] = [:]
    private var entries: [Entry] = []
    private var oldest: Int?
    private var newest: Int?
    private var firstFree: Int?

    /// - Precondition: `capacity` is at least 1.
    public init(capacity: Int = 100_000) {
        precondition(capacity > 0, "room for no conversation")
        self.capacity = capacity
    }

    /// How many conversations are remembered.
    public var count: Int { slots.count }

    /// Where a conversation was moved to; nil when it is with its primary.
    public func route(of conversation: StableDigest) -> StickyRoute? {
        slots[conversation].map { entries[$0].route }
    }

    /// A fallback answered.
    ///
    /// A conversation that is already on that target keeps its first `until`: stickiness is counted from the
    /// move, so that it ends however often the fallback answers.
    public mutating func moved(
        _ conversation: StableDigest,
        to target: Target,
        until: ContinuousClock.Instant
    ) {
        guard let slot = slots[conversation] else {
            return insert(conversation, StickyRoute(target: target, until: until))
        }
        if entries[slot].route.target != target {
            entries[slot].route = StickyRoute(target: target, until: until)
        }
        guard slot != newest else { return }
        unlink(slot)
        linkAsNewest(slot)
    }

    /// The primary answered: nothing is remembered of the conversation any more.
    public mutating func returned(_ conversation: StableDigest) {
        guard let slot = slots[conversation] else { return }
        remove(slot)
    }
}

extension StickyRoutes {
    private mutating func insert(_ conversation: StableDigest, _ route: StickyRoute) {
        if slots.count == capacity, let oldest { remove(oldest) }
        let entry = Entry(conversation: conversation, route: route)
        let slot: Int
        if let free = firstFree {
            firstFree = entries[free].newer
            entries[free] = entry
            slot = free
        } else {
            slot = entries.count
            entries.append(entry)
        }
        slots[conversation] = slot
        linkAsNewest(slot)
    }

    private mutating func remove(_ slot: Int) {
        slots[entries[slot].conversation] = nil
        unlink(slot)
        entries[slot].newer = firstFree
        firstFree = slot
    }

    private mutating func unlink(_ slot: Int) {
        let (older, newer) = (entries[slot].older, entries[slot].newer)
        if let older { entries[older].newer = newer } else { oldest = newer }
        if let newer { entries[newer].older = older } else { newest = older }
    }

    private mutating func linkAsNewest(_ slot: Int) {
        entries[slot].older = newest
        entries[slot].newer = nil
        if let newest { entries[newest].newer = slot } else { oldest = slot }
        newest = slot
    }
}
