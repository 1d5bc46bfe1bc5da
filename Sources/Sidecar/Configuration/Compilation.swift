import Policies

/// Makes settings out of a checked file, and checks what no key can tell on its own.
struct Compilation {
    let file: Section
    /// Values that must not be quoted.
    let referring: Set<JSONPointer>
    /// Names of the upstreams that the file lists, whether or not the rest of them is right.
    let upstreamNames: Set<String>
    /// The same of the hops.
    let hopNames: Set<String>
    private(set) var problems: [ConfigurationError.Problem] = []

    init(of file: Section, referring: Set<JSONPointer>) {
        self.file = file
        self.referring = referring
        upstreamNames = Set(file.entries("upstreams").map(\.name))
        hopNames = Set(file.section("egress")?.lists("hops").map(\.name) ?? [])
    }

    /// Worth something only while ``problems`` is empty afterwards; without experiments and without a hash.
    mutating func configuration() -> Configuration {
        let upstreams = upstreams()
        let configuration = Configuration(
            listen: listeners(),
            upstreams: upstreams,
            policies: policies(upstreams),
            timeouts: timeouts(),
            stream: StreamSettings(onCut: section("stream").word("onCut")),
            limits: limits(),
            log: LogSettings(level: section("log").word("level")),
            media: media(),
            egress: egress(),
            hash: ""
        )
        checkVouching(in: configuration)
        return configuration
    }

    /// A credential of ours that no client could be allowed to spend is a mistake.
    private mutating func checkVouching(in configuration: Configuration) {
        for listener in configuration.listen.proxies {
            guard let upstream = configuration.unvouchedUpstream(at: listener) else { continue }
            let place = section("listen").place(listener.name.rawValue).appending("upstream")
            let orKeys = listener.name == .gateway ? ", or list clientKeys" : ""
            report(
                place,
                "no LiteLLM, so nobody can be vouched for at \(upstream.quoted), which has a bearer; "
                    + "write one of kind litellm\(orKeys)"
            )
        }
    }

    mutating func report(_ place: JSONPointer, _ text: String) {
        problems.append(.init(place, text))
    }

    /// Names are labels, so no two entries of a list may share one.
    mutating func checkNames(of list: [Section]) {
        var places: [String: JSONPointer] = [:]
        for section in list {
            guard let name = section.text("name") else { continue }
            if let first = places[name]?.keys.last {
                report(section.place("name"), "already the name of entry \(first); write another one")
            } else {
                places[name] = section.pointer
            }
        }
    }

    func shown(_ text: String, at place: JSONPointer) -> String {
        referring.contains(place) ? "its value" : text.quoted
    }

    /// A section of the file's top level that has a default.
    func section(_ key: String) -> Section {
        file.filled(key, Section.section)
    }

    private func timeouts() -> Timeouts {
        let timeouts = section("timeouts")
        return Timeouts(
            connect: timeouts.seconds("connectSeconds"),
            firstByte: timeouts.seconds("firstByteSeconds"),
            firstToken: timeouts.seconds("firstTokenSeconds"),
            idle: timeouts.seconds("idleSeconds"),
            total: timeouts.seconds("totalSeconds")
        )
    }

    private mutating func limits() -> Limits {
        let section = section("limits")
        let limits = Limits(
            maxBodyBytes: section.filled("maxBodyBytes", Section.integer),
            maxBufferedBytes: section.filled("maxBufferedBytes", Section.integer),
            maxHeaderBytes: section.filled("maxHeaderBytes", Section.integer),
            maxConnections: section.filled("maxConnections", Section.integer)
        )
        if limits.maxBodyBytes > limits.maxBufferedBytes {
            report(
                section.place("maxBodyBytes"),
                "more than maxBufferedBytes (\(limits.maxBufferedBytes)); one body must fit: write less, or raise that"
            )
        }
        return limits
    }
}
