import Policies

extension Configuration {
    /// Puts the listeners that run in place of the file's: they change with a restart only.
    ///
    /// - Returns: the keys of `listen` that wait for the restart, such as `listen.gateway.address`, in the order
    ///   of the table.
    /// - Throws: ``ConfigurationError`` where the rest of the file leaves a running listener without an upstream,
    ///   or with one that none of its clients may use; nothing has changed then.
    mutating func keepListeners(of running: Configuration) throws(ConfigurationError) -> [String] {
        let problems = running.listen.proxies.compactMap { problem(withRunning: $0) }
        if let error = ConfigurationError(problems) { throw error }
        let waiting = listen.differences(from: running.listen)
        listen = running.listen
        for experiment in experiments.indices {
            for arm in experiments[experiment].arms.indices {
                experiments[experiment].arms[arm].listen = running.listen
            }
        }
        return waiting
    }

    private func problem(withRunning listener: ProxyListener) -> ConfigurationError.Problem? {
        let (name, place) = (listener.name.rawValue, JSONPointer().appending("upstreams"))
        guard upstreams[listener.upstream] != nil else {
            return .init(
                place,
                "\(listener.upstream.quoted) is still used by the running listener \(name); keep it until the restart"
            )
        }
        let variants = [self] + experiments.flatMap(\.arms)
        guard let upstream = variants.lazy.compactMap({ $0.unvouchedUpstream(at: listener) }).first else {
            return nil
        }
        return .init(
            place.appending(upstream).appending("bearer"),
            "nobody can be vouched for at the listener \(name) as it runs; restart to apply this file"
        )
    }

    /// The first upstream with a credential of ours that a listener may send to, although nobody can be vouched for
    /// there; nil when there is none.
    ///
    /// Clients are vouched for by a LiteLLM behind the listener, or by being listed.
    func unvouchedUpstream(at listener: ProxyListener) -> String? {
        guard let fronted = upstreams[listener.upstream], fronted.kind != .litellm,
            listener.clientKeys.isEmpty
        else { return nil }
        // What goes to a Dify is not inspected, so no route takes it.
        let chained =
            fronted.kind == .dify ? [] : policies.routes.flatMap(\.chain).compactMap(\.namedUpstream)
        return ([listener.upstream] + chained).first { upstreams[$0]?.bearer != nil }
    }
}

extension ChainMember {
    fileprivate var namedUpstream: String? {
        if case .model(_, let upstream) = self { upstream } else { nil }
    }
}

extension ListenSettings {
    /// The listeners that pass requests on.
    var proxies: [ProxyListener] {
        [gateway, dify].compactMap { $0 }
    }

    /// The keys in which two differ, in the order of the table.
    fileprivate func differences(from other: Self) -> [String] {
        Self.differences("gateway", gateway, other.gateway, ProxyListener.keys)
            + Self.differences("dify", dify, other.dify, ProxyListener.keys)
            + Self.differences("egress", egress, other.egress, EgressListener.keys)
            + Self.differences("admin", admin, other.admin, AdminListener.keys)
    }

    private static func differences<Listener>(
        _ name: String,
        _ listener: Listener?,
        _ other: Listener?,
        _ keys: [(name: String, differs: (Listener, Listener) -> Bool)]
    ) -> [String] {
        switch (listener, other) {
        case (let listener?, let other?):
            keys.filter { $0.differs(listener, other) }.map { "listen.\(name).\($0.name)" }
        case (nil, nil): []
        default: ["listen.\(name)"]
        }
    }
}

extension ProxyListener {
    fileprivate static var keys: [(name: String, differs: (Self, Self) -> Bool)] {
        [
            ("address", { $0.address != $1.address }), ("upstream", { $0.upstream != $1.upstream }),
            ("clientKeys", { $0.clientKeys != $1.clientKeys }),
        ]
    }
}

extension EgressListener {
    fileprivate static var keys: [(name: String, differs: (Self, Self) -> Bool)] {
        [("address", { $0.address != $1.address }), ("credentials", { $0.credentials != $1.credentials })]
    }
}

extension AdminListener {
    fileprivate static var keys: [(name: String, differs: (Self, Self) -> Bool)] {
        [("address", { $0.address != $1.address }), ("token", { $0.token != $1.token })]
    }
}
