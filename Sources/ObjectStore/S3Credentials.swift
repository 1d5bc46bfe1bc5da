/// What a store knows its client by.
///
/// Printing one shows nothing of it.
public struct S3Credentials: Equatable, Sendable {
    let accessKey: String
    let secretKey: String
    let sessionToken: String?

    /// - Parameter sessionToken: comes with keys that were given out for a time.
    public init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }
}

extension S3Credentials: CustomStringConvertible, CustomReflectable {
    /// Without what is secret.
    public var description: String { "S3Credentials" }
    /// Without what is secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
