import Policies

/// The settings as the program uses them: complete, typed and checked.
///
/// Nothing beyond the functions that make it checks a setting again.
struct Configuration: Equatable, Sendable {
    var listen: ListenSettings
    /// By name; every name that a listener or a chain uses is here.
    var upstreams: [String: Upstream]
    var policies: PolicySettings
    var timeouts: Timeouts
    var stream = StreamSettings()
    var limits: Limits
    var log: LogSettings
    /// Nil where images stay where they are.
    var media: MediaSettings?
    var egress = EgressSettings()
    /// In the order of the file; empty in the settings of an arm.
    var experiments: [ConfiguredExperiment] = []
    /// Tells configurations apart: the same for the same values, however the file is laid out.
    ///
    /// 16 hexadecimal digits, FNV-1a over the values with their defaults. Secrets are left out, so it may be
    /// shown.
    var hash: String
}

/// An experiment with the settings of its arms.
struct ConfiguredExperiment: Equatable, Sendable {
    var experiment: Experiment
    /// One for each arm, in their order: the file with the arm's patch applied, compiled and checked like it.
    ///
    /// Listeners, upstreams, breaker, limits and log are those of the file.
    var arms: [Configuration]
}

/// The listeners; one that is nil is not opened.
struct ListenSettings: Equatable, Sendable {
    var gateway: ProxyListener?
    var dify: ProxyListener?
    var egress: EgressListener?
    var admin: AdminListener?
}

/// A listener that passes requests on.
struct ProxyListener: Equatable, Sendable {
    enum Name: String, Equatable, Sendable, CaseIterable {
        case gateway, dify, egress
    }

    var name: Name
    var address: ListenAddress
    /// The upstream's name.
    var upstream: String
    /// Keys of clients that are vouched for without asking LiteLLM; secrets.
    var clientKeys: [String] = []
}

/// The listener for the people who run the sidecar.
struct AdminListener: Equatable, Sendable {
    var address: ListenAddress
    /// Nil only where the address is loopback.
    var token: String?
}

/// A server that requests are passed on to.
struct Upstream: Equatable, Sendable {
    enum Kind: String, Equatable, Sendable, CaseIterable {
        case litellm, dify, openai
    }

    var name: String
    var kind: Kind
    var url: UpstreamURL
    /// The sidecar's own credential for it, a secret; never empty, never at a Dify.
    ///
    /// Nil where clients send their own.
    var bearer: String?
    /// The hop by which it is reached; nil for none.
    var hop: String?
    /// Whether it may be at a private address, where the sidecar itself looks its name up for the hop.
    var allowsPrivate = true
}

/// How long the parts of an exchange may take.
struct Timeouts: Equatable, Sendable {
    var connect: Duration
    var firstByte: Duration
    var firstToken: Duration
    var idle: Duration
    var total: Duration
}

/// What happens to streamed answers.
struct StreamSettings: Equatable, Sendable {
    enum OnCut: String, Equatable, Sendable, CaseIterable {
        /// A last event says that the answer broke off.
        case error
        /// The next target goes on with it.
        case resume
    }

    var onCut = OnCut.error
}

/// What clients may take.
struct Limits: Equatable, Sendable {
    var maxBodyBytes: Int
    var maxBufferedBytes: Int
    var maxHeaderBytes: Int
    var maxConnections: Int
}

/// What is logged.
struct LogSettings: Equatable, Sendable {
    enum Level: String, Equatable, Sendable, CaseIterable {
        case debug, info, warning, error
    }

    var level: Level
}
