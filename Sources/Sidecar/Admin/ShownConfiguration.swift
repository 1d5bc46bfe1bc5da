internal import FoundationEssentials
internal import ObjectStore
internal import Policies

/// A listener, as `/status` shows it.
struct ShownListener: Encodable {
    let name: String
    /// As configured; port 0 stands for one that the system has chosen.
    let address: String
    let upstream: String?
}

extension ListenSettings {
    /// What is listening, the admin listener last.
    var shown: [ShownListener] {
        proxies.map {
            ShownListener(
                name: $0.name.rawValue,
                address: $0.address.description,
                upstream: $0.upstream
            )
        }
            + [("egress", egress?.address), ("admin", admin?.address)].compactMap { name, address in
                address.map { ShownListener(name: name, address: $0.description, upstream: nil) }
            }
    }
}

/// An upstream; its credential is not shown.
struct ShownUpstream: Encodable {
    let name: String
    let kind: String
    let url: String
    let hop: String?

    init(_ upstream: Upstream) {
        name = upstream.name
        kind = upstream.kind.rawValue
        let address = ListenAddress(host: upstream.url.host, port: upstream.url.port)
        url = "\(upstream.url.isTLS ? "https" : "http")://\(address)\(upstream.url.pathPrefix)"
        hop = upstream.hop
    }
}

/// A route with its chain.
struct ShownRoute: Encodable {
    struct Member: Encodable {
        /// `$requested`, or the name of a model.
        let model: String
        /// As breakers name it; nil where the client's request decides.
        let target: String?
    }

    let name: String
    let when: ShownCondition
    let chain: [Member]

    init(_ route: Route, _ snapshot: Snapshot) {
        name = route.name
        when = ShownCondition(route.when)
        chain = route.chain.map { member in
            switch member {
            case .requested: Member(model: "$requested", target: nil)
            case .model(let model, let upstream?):
                Member(model: model, target: Target(model: model, upstream: upstream).name)
            case .model(let model, nil): Member(model: model, target: snapshot.target(named: model)?.name)
            }
        }
    }
}

/// What a request must be, under the names of the configuration.
struct ShownCondition: Encodable {
    let model: [String]?
    let images: Bool?
    let vision: Bool?
    let task: Bool?
    let minTokens: Int?
    let maxTokens: Int?
    /// Names alone: a value that is asked for may be a secret.
    let header: [String]?
    let path: String?
    let contains: [String]?

    init(_ condition: Condition) {
        model = condition.model.isEmpty ? nil : condition.model.map(\.pattern)
        images = condition.images
        vision = condition.vision
        task = condition.task
        minTokens = condition.minTokens
        maxTokens = condition.maxTokens
        header = condition.header.isEmpty ? nil : condition.header.keys.sorted()
        path = condition.path?.pattern
        contains = condition.contains.isEmpty ? nil : condition.contains
    }
}

/// Reloads since the start.
struct ShownReloads: Encodable {
    struct Latest: Encodable {
        let time: String
        /// `ok`, `failed`, or `nothing` where no file was read at the start.
        let result: String
        /// Why it failed, one problem an entry.
        let problems: [String]?
        /// Keys whose change waits for a restart.
        let waitingForRestart: [String]?
    }

    let succeeded: Int
    let failed: Int
    /// Nil before the first.
    let latest: Latest?

    init(_ reloader: Reloader) {
        (succeeded, failed) = reloader.counts
        latest = reloader.latest.map(Latest.init)
    }
}

extension ShownReloads.Latest {
    fileprivate init(_ latest: Reloader.Latest) {
        let time = latest.time.timestamp
        switch latest.outcome {
        case .reloaded(_, let waiting):
            self.init(
                time: time,
                result: "ok",
                problems: nil,
                waitingForRestart: waiting.isEmpty ? nil : waiting
            )
        case .refused(let problems):
            self.init(time: time, result: "failed", problems: problems, waitingForRestart: nil)
        case .nothingToReload:
            self.init(time: time, result: "nothing", problems: nil, waitingForRestart: nil)
        }
    }
}

/// The store of images; its credentials are not shown.
struct ShownStore: Encodable {
    let kind: String
    let place: String
    let requests: Bool
    let responses: Bool
    let maxBytes: Int?
    /// What keeps images from being stored; nil while nothing does.
    let trouble: String?

    /// - Returns: nil where images stay where they are.
    init?(_ library: MediaLibrary, _ settings: MediaSettings?) {
        guard let settings else { return nil }
        kind = settings.store.kind.rawValue
        (place, maxBytes) =
            switch settings.store {
            case .s3(let store): ("\(store.location.endpoint.text)/\(store.location.bucket.name)", nil)
            case .directory(let store): (store.path, store.maxBytes)
            }
        requests = settings.requests
        responses = settings.responses
        trouble = library.trouble?.rawValue
    }
}

extension MediaSettings.Store {
    fileprivate var kind: MediaSettings.Kind {
        switch self {
        case .s3: .s3
        case .directory: .directory
        }
    }
}
