/// A comparison of settings: each conversation, user or request is given one arm, by chance and for good.
public struct Experiment: Equatable, Sendable {
    /// What an arm is drawn for.
    public enum Unit: String, CaseIterable, Sendable {
        case conversation
        case user
        case request
    }

    /// One of the settings that are compared.
    public struct Arm: Equatable, Sendable {
        public var name: String
        /// Its share is this out of the sum of all weights; 0 is never drawn.
        public var weight: Int

        public init(name: String, weight: Int) {
            self.name = name
            self.weight = weight
        }
    }

    public var name: String
    public var by: Unit
    /// Which requests take part.
    public var when: Condition
    /// Never empty; no weight below 0, one at least above it, and no name twice.
    public var arms: [Arm]

    public init(name: String, by: Unit = .conversation, when: Condition = Condition(), arms: [Arm]) {
        self.name = name
        self.by = by
        self.when = when
        self.arms = arms
    }
}

/// Which experiment a request takes part in, and in which arm.
///
/// The first experiment whose `when` matches decides alone. Where it is drawn by something that this request
/// does not have (a background task has no conversation, a client may not say which user it speaks for), the
/// request takes part in none: were it passed on to the next experiment, that one would be fed by the leavings
/// of the first, and its arms would compare another kind of request than its `when` says.
///
/// - Parameters:
///   - settings: tell what the requested model can take, for `when.vision`.
///   - arm: the name of an arm that the client asks for. Of no effect unless it is one of the experiment that
///     the request takes part in; one of weight 0 is given too.
/// - Returns: places in `experiments` and in its arms; nil when the request takes part in none.
/// - Complexity: O(*n*) in the experiments, and about 0.15 µs for each arm of the one that matches.
public func assignment(
    of facts: RequestFacts,
    in experiments: [Experiment],
    settings: PolicySettings,
    forced arm: String? = nil
) -> (experiment: Int, arm: Int)? {
    guard let place = experiments.firstIndex(where: { $0.when.matches(facts, settings) }),
        let unit = facts.unit(for: experiments[place].by)
    else { return nil }
    let experiment = experiments[place]
    let forced = arm.flatMap { name in experiment.arms.firstIndex { $0.name == name } }
    return (place, forced ?? experiment.arm(for: unit))
}

extension RequestFacts {
    fileprivate func unit(for unit: Experiment.Unit) -> StableDigest? {
        switch unit {
        // A task is asked for beside the answer of its conversation: it would be counted twice.
        case .conversation: isTask ? nil : conversation
        case .user: user
        case .request: request
        }
    }
}
