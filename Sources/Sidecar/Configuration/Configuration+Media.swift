internal import ObjectStore

/// How images are kept; without these settings they stay where they are.
struct MediaSettings: Equatable, Sendable {
    enum Kind: String, Equatable, Sendable, CaseIterable {
        case s3, directory
    }

    enum Store: Equatable, Sendable {
        case s3(S3)
        case directory(Directory)
    }

    struct S3: Equatable, Sendable {
        var location: S3Location
        /// Secrets.
        var credentials: S3Credentials
    }

    struct Directory: Equatable, Sendable {
        var path: String
        /// Of all images; nil for no limit.
        var maxBytes: Int?
        /// Where upstreams fetch images, if it is not the gateway's port on this machine.
        var endpointForUpstream: String?
    }

    /// What happens to a request whose images cannot be stored.
    enum StoreFailure: String, Equatable, Sendable, CaseIterable {
        case inline, reject
    }

    var store: Store
    /// Where browsers reach the gateway, without a slash at the end.
    var publicURL: String?
    var requests: Bool
    /// Whether answers are changed; only with a ``publicURL``.
    var responses: Bool
    /// Of an image, decoded.
    var minBytes: Int
    var urlLifetime: Duration
    var signWindow: Duration
    var onStoreFailure: StoreFailure
    /// What the people who run it should know although nothing is wrong.
    var note: String?
}

extension MediaSettings.Directory {
    /// The base of the URLs that upstreams fetch.
    ///
    /// - Parameter gateway: where the gateway listens; the port that it really has, once it has one.
    func base(gateway: ListenAddress) -> String {
        if let endpointForUpstream { return endpointForUpstream }
        // Nothing fetches from a gateway that does not listen yet, and no address has port 0.
        return "http://\(ListenAddress(host: gateway.fromHere.host, port: max(1, gateway.port)))"
    }
}
