/// A bucket of an S3 store, and the two ways to reach it.
///
/// Holds no secret: a ``SigningKey`` signs what is made here.
public struct S3Location: Hashable, Sendable {
    /// Where the sidecar itself sends its requests.
    public let endpoint: WebOrigin
    /// Where the holders of signed URLs fetch: the store verifies the Host that it receives.
    public let publicEndpoint: WebOrigin
    /// Holds the images and may hold other objects.
    public let bucket: BucketName
    /// Stands in every signature.
    public let region: S3Region
    /// Whether the bucket is the first part of the path, and not of the host's name.
    public let usesPathStyle: Bool

    /// A bucket of a store.
    ///
    /// - Parameter usesPathStyle: what stores other than AWS want, and AWS takes.
    public init(
        endpoint: WebOrigin,
        publicEndpoint: WebOrigin,
        bucket: BucketName,
        region: S3Region = .standard,
        usesPathStyle: Bool = true
    ) {
        self.endpoint = endpoint
        self.publicEndpoint = publicEndpoint
        self.bucket = bucket
        self.region = region
        self.usesPathStyle = usesPathStyle
    }

    /// A URL under which anybody gets the object until the lifetime is over.
    ///
    /// - Parameters:
    ///   - time: when the lifetime begins; floor it with ``SigningTime/floored(to:)`` for a text that stays.
    ///   - lifetime: of whole seconds, 1...604,800.
    /// - Complexity: three hashes of a few hundred bytes, about 20 µs: what is used again within a window is kept.
    public func presignedURL(
        for name: ObjectName,
        at time: SigningTime,
        lifetime: Duration,
        key: SigningKey
    ) -> String {
        let request = S3Request(.get, at: origin(publicEndpoint), path: path(to: name))
        return key.presignedURL(for: request, at: time, lifetime: lifetime)
    }

    /// The object that a URL of this location names, whatever query it has.
    ///
    /// The query is not looked at, so a URL whose time is over is recognised too: the caller signs it anew. Only
    /// addresses of images in this bucket are recognised, by the public endpoint and by no other spelling of the key
    /// than ours, so that nobody gets a signature for anything else.
    ///
    /// - Returns: nil for everything else.
    public func objectName(ofOwnURL url: String) -> ObjectName? {
        WebBase(origin: origin(publicEndpoint))
            .rest(of: url, below: usesPathStyle ? "/\(bucket.name)/" : "/")
            .flatMap { ObjectName(key: $0) }
    }

    /// The origin of the bucket's requests.
    func origin(_ endpoint: WebOrigin) -> WebOrigin {
        guard !usesPathStyle else { return endpoint }
        return WebOrigin(
            scheme: endpoint.scheme,
            host: "\(bucket.name).\(endpoint.host)",
            port: endpoint.port
        )
    }

    func path(to name: ObjectName) -> String {
        usesPathStyle ? "/\(bucket.name)/\(name.key)" : "/\(name.key)"
    }

    var bucketPath: String {
        usesPathStyle ? "/\(bucket.name)" : "/"
    }
}
