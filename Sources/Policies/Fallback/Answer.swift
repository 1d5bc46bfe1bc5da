/// The parts of an upstream's answer, or of an error event in a stream, that tell what went wrong.
public struct Answer: Equatable, Sendable {
    /// The HTTP status; for an error event the number in its `code`, or 500 where it has none.
    public var status: Int
    /// `error.message`, decoded; the text itself where the body is not JSON.
    public var message: String
    /// `error.type`; empty when there is none.
    public var type: String
    /// `error.code` as text; empty when there is none.
    public var code: String
    /// Whether the request carried any credential of the client.
    public var requestHadCredential: Bool
    /// Whether the upstream saw a credential of the sidecar's own in place of the client's.
    ///
    /// Its limits are then those of the operator's account, whatever their words.
    public var hadOwnCredential: Bool

    public init(
        status: Int,
        message: String = "",
        type: String = "",
        code: String = "",
        requestHadCredential: Bool = true,
        hadOwnCredential: Bool = false
    ) {
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.requestHadCredential = requestHadCredential
        self.hadOwnCredential = hadOwnCredential
    }

    /// An error event of a stream whose HTTP status was 200.
    ///
    /// LiteLLM writes the status that the answer should have had as a string into `code`. Anthropic's own
    /// events have none; their `type` is enough.
    ///
    /// - Parameters:
    ///   - code: `error.code` as text; empty when there is none.
    ///   - hadOwnCredential: as in ``hadOwnCredential``.
    public init(
        eventMessage message: String,
        type: String,
        code: String,
        hadOwnCredential: Bool = false
    ) {
        let status = Int(code).flatMap { (400...599).contains($0) ? $0 : nil } ?? Self.statuses[type] ?? 500
        self.init(
            status: status,
            message: message,
            type: type,
            code: code,
            hadOwnCredential: hadOwnCredential
        )
    }

    /// The statuses under which Anthropic documents its error types (API reference, "Errors").
    private static let statuses = [
        "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402,
        "permission_error": 403, "not_found_error": 404, "request_too_large": 413,
        "rate_limit_error": 429, "api_error": 500, "timeout_error": 504, "overloaded_error": 529,
    ]
}
