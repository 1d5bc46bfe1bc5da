/// Decides what to do with one request.
///
/// The first route that matches gives the chain; a request that none matches is forwarded unchanged. Of
/// several members that are the same target the first is kept. A request with images skips members that
/// cannot see, while one is left that can or whose sight is unknown. A conversation that was moved to a
/// fallback begins there: ``Plan/steered(by:for:)``, which a caller may also ask apart, once it knows whose
/// breaker it needs.
///
/// - Parameters:
///   - upstream: the listener's, for members that name none.
///   - factors: what raises the token scale of models that are calibrated.
///   - situation: nil where nothing is remembered of the conversation.
public func plan(
    _ facts: RequestFacts,
    settings: PolicySettings,
    upstream: String,
    factors: [Calibration.Subject: Double] = [:],
    in situation: Situation? = nil
) -> Plan {
    let plan = planByChain(facts, settings: settings, upstream: upstream, factors)
    return situation.map { plan.steered(by: $0, for: facts) } ?? plan
}

private func planByChain(
    _ facts: RequestFacts,
    settings: PolicySettings,
    upstream: String,
    _ factors: [Calibration.Subject: Double]
) -> Plan {
    let requested = Target(model: facts.model, upstream: upstream)
    guard let route = settings.routes.first(where: { $0.matches(facts, settings) }) else {
        return Plan(route: nil, Attempt(target: requested, isForeign: false))
    }

    var targets: [Target] = []
    for member in route.chain {
        let target = member.target(requested: requested)
        if !targets.contains(target) { targets.append(target) }
    }
    if facts.carriesImages { targets = withoutBlind(targets, settings) }

    let attempts = targets.enumerated().map { place, target in
        let (budget, window) = settings.budget(for: target.model, isFallback: place > 0, factors: factors)
        return Attempt(target: target, isForeign: target.model != facts.model, budget: budget, window: window)
    }
    guard let first = attempts.first else { preconditionFailure("route \(route.name) has an empty chain") }
    return Plan(route: route.name, first, then: Array(attempts.dropFirst()))
}

private func withoutBlind(_ targets: [Target], _ settings: PolicySettings) -> [Target] {
    let seeing = targets.filter { settings.rule(for: $0.model)?.vision != false }
    return seeing.isEmpty ? targets : seeing
}

extension ChainMember {
    fileprivate func target(requested: Target) -> Target {
        switch self {
        case .requested: requested
        case .model(let model, let upstream): Target(model: model, upstream: upstream ?? requested.upstream)
        }
    }
}
