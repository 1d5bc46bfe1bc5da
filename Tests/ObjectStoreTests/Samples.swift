import ObjectStore

/// What the tests of this folder are about: an image, and the places where it may lie.
enum Sample {
    /// SHA-256 of "abc" (FIPS 180-4, example).
    static let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    static let fileName = "\(digits).png"
    static let key = "ba/\(fileName)"
    static let name = known(ObjectName(key: key))

    static func bucket(
        publicEndpoint: String = "https://s3.example.org",
        region: S3Region = .standard,
        usesPathStyle: Bool = true
    ) -> S3Location {
        S3Location(
            endpoint: known(WebOrigin("http://minio:9000")),
            publicEndpoint: known(WebOrigin(publicEndpoint)),
            bucket: known(BucketName("pictures")),
            region: region,
            usesPathStyle: usesPathStyle
        )
    }

    static let signer = SigningKey(
        S3Credentials(accessKey: "AKID", secretKey: "secret"),
        region: .standard,
        at: SigningTime(secondsSince1970: 0)
    )

    static let base = "https://ai.example.org/side"
    static let secret = Array(UInt8(0)..<32)
    static let directory = known(DirectoryLocation(base: base, secret: secret))
    static let time = SigningTime(secondsSince1970: 1_800_000_000)
    static let signedURL = directory.signedURL(for: name, at: time, lifetime: .seconds(100))
    /// What the gateway receives of the signed URL.
    static let target = String(signedURL.dropFirst(base.count))

    /// Every byte that differs in one bit, and those that mean something in a URL or a path.
    static func otherBytes(than byte: UInt8) -> Set<UInt8> {
        Set((0..<8).map { byte ^ 1 << $0 }).union("/\\.%?#@:&=+09afAF \n\0".utf8).subtracting([byte])
    }
}

/// A value that the tests themselves have written rightly.
func known<Value>(_ value: Value?) -> Value {
    guard let value else { preconditionFailure("a sample is not what it should be") }
    return value
}
