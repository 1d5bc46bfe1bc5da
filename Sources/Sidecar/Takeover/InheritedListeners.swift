/// Listening sockets that another process has opened, until each is in use.
struct InheritedListeners: Sendable {
    private var sockets: [ListenerName: Descriptor]

    /// None: every listener is bound anew.
    init() {
        sockets = [:]
    }

    init(_ names: [ListenerName], _ descriptors: [Descriptor]) {
        sockets = Dictionary(zip(names, descriptors)) { first, _ in first }
    }

    func hasSocket(for name: ListenerName) -> Bool {
        key(for: name) != nil
    }

    /// Takes the socket out that listens at an address; nil when the address is to be bound.
    mutating func take(for name: ListenerName) -> Descriptor? {
        key(for: name).flatMap { sockets.removeValue(forKey: $0) }
    }

    /// The listener itself, or another one of the same address: it could not be bound twice.
    private func key(for name: ListenerName) -> ListenerName? {
        if sockets[name] != nil { return name }
        // Port 0 is any port: for that the address says nothing.
        guard !name.address.hasSuffix(":0") else { return nil }
        return sockets.keys.first { $0.address == name.address }
    }
}
