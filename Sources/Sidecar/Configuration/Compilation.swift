import Policies

/// Makes settings out of a checked file, and checks what no key can tell on its own.
struct Compilation {
    let file: Section
    /// Values that must not be quoted.
    let referring: Set<JSONPointer>
    /// Names of the upstreams that the file lists, whether or not the rest of them is right.
    let upstreamNames: Set<String>
    private(set) var problems: [ConfigurationError.Problem] = []

    init(of file: Section, referring: Set<JSONPointer>) {
        self.file = file
        self.referring = referring
        upstreamNames = Set(file.entries("upstreams").map(\.name))
    }

    /// Worth something only while ``problems`` is empty afterwards.
    mutating func configuration(hash: String) -> Configuration {
        let upstreams = upstreams()
        return Configuration(
            listen: listeners(),
            upstreams: upstreams,
            policies: policies(upstreams),
            timeouts: timeouts(),
            limits: limits(),
            log: LogSettings(level: section("log").word("level")),
            hash: hash
        )
    }

    mutating func report(_ place: JSONPointer, _ text: String) {
        problems.append(.init(place, text))
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
