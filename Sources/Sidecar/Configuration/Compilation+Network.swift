extension Compilation {
    mutating func upstreams() -> [String: Upstream] {
        var upstreams: [String: Upstream] = [:]
        for (name, section) in file.entries("upstreams") {
            guard let section else { continue }
            let kind = kind(of: section, name: name)
            guard let kind, let url = section.text("url").flatMap({ try? UpstreamURL($0) }) else { continue }
            if kind == .litellm, url.pathPrefix.hasSuffix("/v1") {
                report(section.place("url"), "ends in /v1, which clients send themselves; leave /v1 out")
            }
            let bearer = section.text("bearer")
            if kind == .dify, bearer != nil {
                report(section.place("bearer"), "a Dify knows apps by keys of their own; remove it")
            }
            let hop = section.text("egress").flatMap { $0.isEmpty ? nil : $0 }
            if let hop { check(hop: hop, at: section.place("egress")) }
            upstreams[name] = Upstream(name: name, kind: kind, url: url, bearer: bearer, hop: hop)
        }
        return upstreams
    }

    private mutating func kind(of section: Section, name: String) -> Upstream.Kind? {
        guard section.keys["kind"] == nil else {
            return section.text("kind").flatMap(Upstream.Kind.init)
        }
        if let kind = Upstream.Kind(rawValue: name) { return kind }
        let known = Upstream.Kind.allCases.map(\.rawValue).joined(separator: ", ")
        report(section.place("kind"), "missing, and the name does not tell it; write one of \(known)")
        return nil
    }

    mutating func listeners() -> ListenSettings {
        let listen = section("listen")
        let settings = ListenSettings(
            gateway: proxy(.gateway, in: listen),
            dify: proxy(.dify, in: listen),
            egress: listen.section("egress").flatMap { egressListener($0) },
            admin: listen.section("admin").flatMap { admin($0) }
        )
        if listen.keys.isEmpty {
            report(listen.pointer, "names no listener; write gateway, dify, egress or admin")
        }
        checkPorts(of: [
            (listen.place("gateway"), settings.gateway?.address),
            (listen.place("dify"), settings.dify?.address),
            (listen.place("egress"), settings.egress?.address),
            (listen.place("admin"), settings.admin?.address),
        ])
        return settings
    }

    private mutating func checkPorts(of listeners: [(place: JSONPointer, address: ListenAddress?)]) {
        let addresses = listeners.compactMap { place, address in
            address.map { (place: place.appending("address"), address: $0) }
        }
        for (index, later) in addresses.enumerated() {
            if let earlier = addresses[..<index].first(where: { $0.address.collides(with: later.address) }) {
                report(later.place, "the same port as \(earlier.place); write another one")
            }
        }
    }

    private mutating func proxy(_ name: ProxyListener.Name, in listen: Section) -> ProxyListener? {
        guard let section = listen.section(name.rawValue) else { return nil }
        let upstream: String = section.filled("upstream", Section.text)
        if !upstreamNames.contains(upstream) {
            let place = section.place("upstream")
            let known = upstreamNames.sorted().joined(separator: ", ")
            report(
                place,
                "\(shown(upstream, at: place)) is not an upstream; "
                    + (known.isEmpty
                        ? "list one under upstreams" : "write one of \(known), or list it under upstreams")
            )
        }
        return section.text("address").flatMap(ListenAddress.init)
            .map {
                ProxyListener(
                    name: name,
                    address: $0,
                    upstream: upstream,
                    clientKeys: section.texts("clientKeys")
                )
            }
    }

    private mutating func admin(_ section: Section) -> AdminListener? {
        guard let address = section.text("address").flatMap(ListenAddress.init),
            let token = section.text("token")
        else { return nil }
        if token.isEmpty, !address.isLoopback {
            report(
                section.place("token"),
                "missing, and the address is open to other machines; write a token, or listen on 127.0.0.1"
            )
        }
        return AdminListener(address: address, token: token.isEmpty ? nil : token)
    }
}
