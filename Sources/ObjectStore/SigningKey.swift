internal import Crypto

/// Signs requests to S3 stores: AWS Signature Version 4.
///
/// It holds the key of one day, which costs four hashes to derive. A caller keeps it and asks for ``renewed(at:)``
/// now and then; with the key of another day a signature is as right, and takes those four hashes longer.
///
/// Source: "Authenticating Requests (AWS Signature Version 4)" in the Amazon S3 API Reference.
public struct SigningKey: Sendable {
    private let credentials: S3Credentials
    private let region: S3Region
    private let day: SigningTime
    private let key: SymmetricKey

    /// Derives the key of the day that the instant lies in.
    public init(_ credentials: S3Credentials, region: S3Region, at time: SigningTime) {
        self.credentials = credentials
        self.region = region
        day = time
        let secret = SymmetricKey(data: Array("AWS4\(credentials.secretKey)".utf8))
        key = [time.day, region.name, "s3", "aws4_request"].reduce(secret) { key, part in
            SymmetricKey(data: Self.authentication(of: part, key))
        }
    }

    /// The key for this instant: itself on the same day.
    public func renewed(at time: SigningTime) -> SigningKey {
        time.isSameDay(as: day) ? self : SigningKey(credentials, region: region, at: time)
    }

    /// The header fields to send a request with: its own, and those that sign it.
    ///
    /// Host is among them. A store takes the request for about 15 minutes after this instant.
    public func headers(for request: S3Request, at time: SigningTime) -> [S3Request.Field] {
        let payloadHash = request.payload.hash
        var headers = request.headers
        headers.append(.init("x-amz-content-sha256", payloadHash))
        headers.append(.init("x-amz-date", time.timestamp))
        if let token = credentials.sessionToken { headers.append(.init("x-amz-security-token", token)) }
        let canonical = CanonicalRequest(
            request,
            query: request.query,
            headers: headers,
            payloadHash: payloadHash
        )
        let authorization =
            "\(Self.algorithm) Credential=\(credentials.accessKey)/\(scope(time)),"
            + "SignedHeaders=\(canonical.signedHeaders),Signature=\(signature(of: canonical, at: time))"
        return [.init("host", request.origin.authority)] + headers + [.init("authorization", authorization)]
    }

    /// A URL that carries its own signature, so that whoever has it may make the request.
    ///
    /// The content is not signed. Header fields of the request are, so the URL is of use only with them.
    ///
    /// - Parameter lifetime: of whole seconds, from the instant on: a store takes 1...604,800.
    public func presignedURL(for request: S3Request, at time: SigningTime, lifetime: Duration) -> String {
        let seconds = lifetime.components.seconds
        precondition((1...604_800).contains(seconds), "a presigned URL lives for 1 s to 7 days")
        let query = request.query + parameters(for: request, at: time, seconds: seconds)
        let canonical = CanonicalRequest(
            request,
            query: query,
            headers: request.headers,
            payloadHash: S3Request.Payload.unsigned.hash
        )
        return "\(request.origin.text)\(request.encodedPath)?\(CanonicalRequest.query(query))"
            + "&X-Amz-Signature=\(signature(of: canonical, at: time))"
    }

    /// The parameters of a presigned URL but the signature.
    private func parameters(
        for request: S3Request,
        at time: SigningTime,
        seconds: Int64
    ) -> [S3Request.Field] {
        let names = Set(request.headers.map { $0.name.lowercased() } + ["host"])
        let parameters: [S3Request.Field] = [
            .init("X-Amz-Algorithm", Self.algorithm),
            .init("X-Amz-Credential", "\(credentials.accessKey)/\(scope(time))"),
            .init("X-Amz-Date", time.timestamp),
            .init("X-Amz-Expires", String(seconds)),
            .init("X-Amz-SignedHeaders", names.sorted().joined(separator: ";")),
        ]
        guard let token = credentials.sessionToken else { return parameters }
        return parameters + [.init("X-Amz-Security-Token", token)]
    }

    private func signature(of request: CanonicalRequest, at time: SigningTime) -> String {
        let digest = ContentDigest(ofText: request.text).hexadecimal
        let text = "\(Self.algorithm)\n\(time.timestamp)\n\(scope(time))\n\(digest)"
        return Hexadecimal.text(Array(Self.authentication(of: text, renewed(at: time).key)))
    }

    private func scope(_ time: SigningTime) -> String {
        "\(time.day)/\(region.name)/s3/aws4_request"
    }

    private static let algorithm = "AWS4-HMAC-SHA256"

    private static func authentication(of text: String, _ key: SymmetricKey) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
    }
}

extension SigningKey: CustomStringConvertible, CustomReflectable {
    /// Without what is secret.
    public var description: String { "SigningKey" }
    /// Without what is secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension S3Request.Payload {
    /// The value of the field `x-amz-content-sha256`.
    fileprivate var hash: String {
        switch self {
        case .unsigned: "UNSIGNED-PAYLOAD"
        case .digest(let digest): digest.hexadecimal
        case .bytes(let bytes): bytes.withUnsafeBytes { ContentDigest(of: $0) }.hexadecimal
        }
    }
}
