internal import Policies
internal import Telemetry

/// A configuration in force, with what every request would otherwise work out again.
///
/// A request takes one when it is accepted and keeps it, so that a reload never changes the rules in the
/// middle of a request.
final class Snapshot: Sendable {
    let configuration: Configuration
    /// What the routes ask for beyond the scan of a body.
    let asks: RouteQuestions
    /// Whether any route asks for the request's path.
    let asksForPath: Bool
    private let upstreams: [String: UpstreamReference]
    private let gatewayUpstream: UpstreamReference?
    private let difyUpstream: UpstreamReference?
    private let models: [String: Label]
    private let listed: ListedModels
    private let routes: [String: Label]

    init(_ configuration: Configuration, listed: ListedModels = ListedModels()) {
        self.configuration = configuration
        self.listed = listed
        let policies = configuration.policies
        asks = policies.asks
        asksForPath = policies.routes.contains { $0.when.path != nil }
        let upstreams = configuration.upstreams.mapValues(UpstreamReference.init)
        self.upstreams = upstreams
        gatewayUpstream = configuration.listen.gateway.flatMap { upstreams[$0.upstream] }
        difyUpstream = configuration.listen.dify.flatMap { upstreams[$0.upstream] }
        let chained = policies.routes.flatMap(\.chain).compactMap { member -> String? in
            if case .model(let name, _) = member { name } else { nil }
        }
        let literal = policies.models.flatMap(\.match).map(\.pattern).filter {
            !$0.contains { "*?".contains($0) }
        }
        models = Dictionary(
            (chained + literal).map { ($0, Label($0)) },
            uniquingKeysWith: { first, _ in first }
        )
        routes = Dictionary(
            policies.routes.map { ($0.name, Label($0.name)) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The upstream that a listener fronts.
    ///
    /// Listeners change with a restart only, so a running one is in every configuration that is put in force.
    func upstream(of listener: ProxyListener.Name) -> UpstreamReference? {
        switch listener {
        case .gateway: gatewayUpstream
        case .dify: difyUpstream
        }
    }

    /// The upstream of a target.
    func upstream(named name: String) -> UpstreamReference? {
        upstreams[name]
    }

    /// The label of a model: its name when the configuration spells it out or the upstream lists it, else `other`.
    func label(ofModel model: String) -> Label {
        models[model] ?? listed[model] ?? .other
    }

    /// Notes that the upstream lists a model.
    func list(_ model: String) {
        if models[model] == nil, listed[model] == nil { listed.insert(model) }
    }

    /// The label of a target, with its upstream when that is not the gateway's own.
    func label(of target: Target) -> Label {
        let label = label(ofModel: target.model)
        guard label != .other, let gatewayUpstream, target.upstream != gatewayUpstream.name else {
            return label
        }
        return Label("\(target.model)@\(target.upstream)")
    }

    func label(ofRoute route: String?) -> Label {
        route.flatMap { routes[$0] } ?? .none
    }
}

extension RouteQuestions {
    /// Whether the body has to be looked at again after its scan.
    var needsMore: Bool { tokens || lastUserText }
}

/// An upstream's settings behind one reference: copying them field by field for every request would cost more
/// than choosing the upstream.
final class UpstreamReference: Sendable {
    let settings: Upstream

    init(_ settings: Upstream) {
        self.settings = settings
    }

    var name: String { settings.name }
    var kind: Upstream.Kind { settings.kind }
}
