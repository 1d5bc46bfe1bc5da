/// A model at an upstream: what a breaker guards and an attempt is sent to.
public struct Target: Hashable, Sendable {
    public var model: String
    /// The upstream's name in the configuration.
    public var upstream: String

    public init(model: String, upstream: String) {
        self.model = model
        self.upstream = upstream
    }

    /// By the model alone: few upstreams have the same, and each text that is hashed costs half a look-up.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(model)
    }
}

/// The largest prompt that an attempt may carry.
public struct Budget: Equatable, Sendable {
    /// Unscaled tokens, by ``counting``.
    public var tokens: Int
    /// How the target counts.
    public var counting: Counting

    public init(tokens: Int, counting: Counting) {
        self.tokens = tokens
        self.counting = counting
    }
}

/// One upstream request that the plan allows.
public struct Attempt: Equatable, Sendable {
    public var target: Target
    /// Whether the target is another model than the client asked for.
    public var isForeign: Bool
    /// Nil when nothing limits the prompt: it is forwarded whole and need not be counted.
    public var budget: Budget?
    /// What the target's own window allows; nil when it is unknown.
    ///
    /// Never below ``budget`` where both are known. Says which other member takes a longer prompt.
    public var window: Budget?

    public init(target: Target, isForeign: Bool, budget: Budget? = nil, window: Budget? = nil) {
        self.target = target
        self.isForeign = isForeign
        self.budget = budget
        self.window = window
    }
}

/// What the sidecar will do with one request, decided before the first upstream byte moves.
public struct Plan: Equatable, Sendable {
    /// The route that matched; nil means that the request is forwarded unchanged.
    public var route: String?
    /// Tried in order until one answers.
    ///
    /// There is always at least one; the first is the preferred one.
    public private(set) var attempts: [Attempt]
    /// Where among the attempts the first member of the chain stands.
    public private(set) var primaryPlace = 0

    public init(route: String?, _ first: Attempt, then fallbacks: [Attempt] = []) {
        self.route = route
        attempts = [first] + fallbacks
    }

    /// Whether the request begins with a fallback because its conversation was moved there.
    public var isSticky: Bool { primaryPlace > 0 }

    /// The same attempts, beginning at a place and going round.
    func rotated(toBeginAt place: Int) -> Plan {
        var plan = self
        plan.attempts = Array(attempts[place...] + attempts[..<place])
        plan.primaryPlace = (primaryPlace - place + attempts.count) % attempts.count
        return plan
    }
}
