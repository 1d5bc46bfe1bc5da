internal import Telemetry

/// What a connection knows about the listener that accepted it.
struct ListenerIdentity: Sendable {
    let name: ProxyListener.Name
    let label: Label

    init(_ name: ProxyListener.Name) {
        self.name = name
        label = Label(name.rawValue)
    }

    /// The upstream that this listener fronts under a configuration.
    ///
    /// Listeners change with a restart only, so a running one is in every configuration that is put in force.
    func upstream(in configuration: Configuration) -> Upstream? {
        let listener = switch name {
        case .gateway: configuration.listen.gateway
        case .dify: configuration.listen.dify
        }
        return listener.flatMap { configuration.upstreams[$0.upstream] }
    }
}
