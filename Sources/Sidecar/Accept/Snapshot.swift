internal import Policies
internal import Telemetry

/// A configuration in force, with what every request would otherwise work out again.
///
/// A request takes one when it is accepted and keeps it, so that a reload never changes the rules in the
/// middle of a request.
final class Snapshot: Sendable {
    let configuration: Configuration
    /// The images of requests and answers; nil where they stay where they are.
    let library: MediaLibrary?
    var hasExperiments: Bool { !experiments.isEmpty }
    /// The settings of requests that take part in no experiment.
    let base: Variant
    /// What routes and experiments ask for beyond the scan of a body.
    let asks: RouteQuestions
    /// Whether any route or experiment asks for the request's path.
    let asksForPath: Bool
    private let experiments: [Experiment]
    /// By experiment and arm.
    private let arms: [[Variant]]
    private let upstreams: [String: UpstreamReference]
    private let gatewayUpstream: UpstreamReference?
    private let difyUpstream: UpstreamReference?
    private let models: [String: Label]
    private let listed: ListedModels
    private let routes: [String: Label]

    init(
        _ configuration: Configuration,
        library: MediaLibrary? = nil,
        listed: ListedModels = ListedModels()
    ) {
        self.configuration = configuration
        self.library = library
        base = Variant(configuration)
        self.listed = listed
        experiments = configuration.experiments.map(\.experiment)
        arms = configuration.experiments.map { configured in
            zip(configured.experiment.arms, configured.arms).map { arm, settings in
                Variant(
                    settings,
                    assignment: .init(experiment: configured.experiment.name, arm: arm.name)
                )
            }
        }
        let variants = [configuration] + configuration.experiments.flatMap(\.arms)
        let conditions =
            variants.flatMap { $0.policies.routes.map(\.when) } + experiments.map(\.when)
        asks = RouteQuestions(of: conditions)
        asksForPath = conditions.contains { $0.path != nil }
        let upstreams = configuration.upstreams.mapValues(UpstreamReference.init)
        self.upstreams = upstreams
        gatewayUpstream = configuration.listen.gateway.flatMap { upstreams[$0.upstream] }
        difyUpstream = configuration.listen.dify.flatMap { upstreams[$0.upstream] }
        models = Self.labels(variants.flatMap(\.policies.namedModels))
        routes = Self.labels(variants.flatMap { $0.policies.routes.map(\.name) })
    }

    private static func labels(_ names: [String]) -> [String: Label] {
        Dictionary(names.map { ($0, Label($0)) }, uniquingKeysWith: { first, _ in first })
    }

    /// The settings for a request.
    ///
    /// - Parameter arm: an arm that the client asks for; of no effect unless its experiment is the request's.
    func variant(for facts: RequestFacts, forcing arm: String?) -> Variant {
        guard !experiments.isEmpty,
            let place = assignment(
                of: facts,
                in: experiments,
                settings: configuration.policies,
                forced: arm
            )
        else { return base }
        return arms[place.experiment][place.arm]
    }

    /// The upstream that a listener fronts.
    ///
    /// Listeners change with a restart only, so a running one is in every configuration that is put in force.
    func upstream(of listener: ProxyListener.Name) -> UpstreamReference? {
        switch listener {
        case .gateway: gatewayUpstream
        case .dify: difyUpstream
        case .egress: nil
        }
    }

    /// Keys of clients that nobody else has to vouch for.
    func clientKeys(of listener: ProxyListener.Name) -> [String] {
        configuration.listen.proxies.first { $0.name == listener }?.clientKeys ?? []
    }

    /// The upstream of a target.
    func upstream(named name: String) -> UpstreamReference? {
        upstreams[name]
    }

    /// The target that a text names: `model@upstream`, or a model of the gateway's own upstream.
    func target(named text: String) -> Target? {
        if let at = text.lastIndex(of: "@"), at > text.startIndex {
            let name = String(text[text.index(after: at)...])
            if upstreams[name] != nil { return Target(model: String(text[..<at]), upstream: name) }
        }
        guard !text.isEmpty else { return nil }
        return gatewayUpstream.map { Target(model: text, upstream: $0.name) }
    }

    /// The label of a model: its name when the configuration spells it out or the upstream lists it, else `other`.
    func label(ofModel model: String) -> Label {
        models[model] ?? listed[model] ?? .other
    }

    /// Changes when a model is listed that was not.
    var listedCount: Int { listed.count }

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
        return Label(target.name)
    }

    func label(ofRoute route: String?) -> Label {
        route.flatMap { routes[$0] } ?? .none
    }
}

extension Target {
    /// As chains, logs and the admin listener spell it; ``Snapshot/target(named:)`` reads it.
    var name: String { "\(model)@\(upstream)" }
}

extension PolicySettings {
    /// The models that chains and rules spell out.
    fileprivate var namedModels: [String] {
        let chained = routes.flatMap(\.chain).compactMap { member -> String? in
            if case .model(let name, _) = member { name } else { nil }
        }
        return chained + models.flatMap(\.match).map(\.pattern).filter { !$0.contains { "*?".contains($0) } }
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
