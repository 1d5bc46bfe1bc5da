extension Route {
    /// Whether this route takes the request: all that its condition asks for must hold.
    ///
    /// A route that asks for a token count does not take a request that was not counted.
    public func matches(_ facts: RequestFacts, _ settings: PolicySettings) -> Bool {
        when.matches(facts, settings)
    }
}

extension Condition {
    /// Whether all of it holds for a request.
    func matches(_ facts: RequestFacts, _ settings: PolicySettings) -> Bool {
        matchesKind(of: facts, settings) && matchesSize(of: facts) && matchesHead(of: facts)
            && (contains.isEmpty || contains.contains { facts.lastUserText.containsBytes(of: $0) })
    }

    private func matchesKind(of facts: RequestFacts, _ settings: PolicySettings) -> Bool {
        (model.isEmpty || model.contains { $0.matches(facts.model) })
            && images.isNilOr(facts.carriesImages)
            && task.isNilOr(facts.isTask)
            && (vision == nil || settings.rule(for: facts.model)?.vision == vision)
    }

    private func matchesSize(of facts: RequestFacts) -> Bool {
        guard minTokens != nil || maxTokens != nil else { return true }
        guard let tokens = facts.tokens else { return false }
        return tokens >= minTokens ?? .min && tokens <= maxTokens ?? .max
    }

    private func matchesHead(of facts: RequestFacts) -> Bool {
        (path?.matches(facts.path) ?? true)
            && header.allSatisfy { name, pattern in facts.headers[name].map(pattern.matches) ?? false }
    }
}

extension Bool? {
    fileprivate func isNilOr(_ fact: Bool) -> Bool {
        self == nil || self == fact
    }
}

/// What routes and experiments ask of a request beyond what one scan of its body tells.
///
/// Nothing else is worth finding out.
public struct RouteQuestions: Equatable, Sendable {
    /// Lowercased header names.
    public var headerNames: Set<String> = []
    /// Whether the request has to be counted before it is planned.
    public var tokens = false
    /// Whether the last user message has to be decoded and lowercased.
    public var lastUserText = false

    public init() {}

    /// All that any of the conditions asks for.
    public init(of conditions: some Sequence<Condition>) {
        for condition in conditions {
            headerNames.formUnion(condition.header.keys)
            if condition.minTokens != nil || condition.maxTokens != nil { tokens = true }
            if !condition.contains.isEmpty { lastUserText = true }
        }
    }
}
