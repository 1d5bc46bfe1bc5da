internal import Telemetry

/// What a connection knows about the listener that accepted it.
struct ListenerIdentity: Sendable {
    let name: ProxyListener.Name
    let label: Label

    init(_ name: ProxyListener.Name) {
        self.name = name
        label = Label(name.rawValue)
    }
}
