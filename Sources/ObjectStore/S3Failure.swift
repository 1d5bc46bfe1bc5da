/// What a refusal by a store means for the sidecar.
public enum S3Failure: Equatable, Sendable {
    /// The object is not there.
    case notFound
    case noSuchBucket
    /// Wrong credentials, or credentials that may not do this: trying again is of no use.
    case denied
    /// The store's clock and ours differ, or a token or a URL is no longer valid.
    case expired
    /// The store is busy or failing for the moment and asks for a pause.
    case slowDown
    /// The bucket that was to be made is there already.
    case alreadyOwned
    case other

    /// Reads an answer that is not a success.
    ///
    /// The code in the content decides; without one, as after HEAD, or with one that is not known, the status.
    ///
    /// - Complexity: O(*n*), bounded: of a longer content than an error has nothing is read.
    public init(status: Int, body: UnsafeRawBufferPointer) {
        self = Self.code(in: body).flatMap { Self.codes[$0] } ?? Self.meaning(ofStatus: status)
        if self == .denied, Self.isAboutTime(body) { self = .expired }
    }

    /// Reads the content of a 200 to the request that puts parts together.
    ///
    /// - Returns: nil when no error is reported there.
    public init?(completing body: UnsafeRawBufferPointer) {
        guard XMLText(body, root: "Error") != nil else { return nil }
        self.init(status: 200, body: body)
    }

    /// The code, for a log line; nil when the content is no error of S3.
    ///
    /// Letters and digits only, so that nothing else of an answer gets into a log.
    public static func code(in body: UnsafeRawBufferPointer) -> String? {
        guard let code = XMLText(body, root: "Error")?.content(of: "Code"), code.utf8.count <= 64,
            code.utf8.allSatisfy({
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20)
            })
        else { return nil }
        return code
    }

    /// "Error responses" in the Amazon S3 API Reference; the other codes are those of MinIO, Ceph and rclone.
    private static let codes: [String: S3Failure] = [
        "NoSuchKey": .notFound,
        "NoSuchVersion": .notFound,
        "NoSuchUpload": .notFound,
        "NoSuchBucket": .noSuchBucket,
        "AccessDenied": .denied,
        "AccountProblem": .denied,
        "AllAccessDisabled": .denied,
        "InvalidAccessKeyId": .denied,
        "InvalidSecurity": .denied,
        "InvalidToken": .denied,
        "SignatureDoesNotMatch": .denied,
        "ExpiredToken": .expired,
        "RequestExpired": .expired,
        "RequestTimeTooSkewed": .expired,
        "TokenRefreshRequired": .expired,
        "InternalError": .slowDown,
        "RequestLimitExceeded": .slowDown,
        "ServiceUnavailable": .slowDown,
        "SlowDown": .slowDown,
        "SlowDownRead": .slowDown,
        "SlowDownWrite": .slowDown,
        "XMinioServerNotInitialized": .slowDown,
        // Some stores say this of our own buckets too; in a stranger's the next request is denied.
        "BucketAlreadyExists": .alreadyOwned,
        "BucketAlreadyOwnedByYou": .alreadyOwned,
    ]

    /// Some stores have no code for it; the phrases are those of AWS and MinIO, and of rclone.
    private static func isAboutTime(_ body: UnsafeRawBufferPointer) -> Bool {
        guard let message = XMLText(body, root: "Error")?.source(of: "Message") else { return false }
        return ["Request has expired", "difference between the request time and the"].contains {
            message.contains($0)
        }
    }

    private static func meaning(ofStatus status: Int) -> S3Failure {
        switch status {
        case 404: .notFound
        case 401, 403: .denied
        case 429, 500...599: .slowDown
        default: .other
        }
    }
}
