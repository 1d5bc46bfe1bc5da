import ObjectStore
import Testing

/// The examples of "Signature Calculations for the Authorization Header" and "Authenticating Requests: Using Query
/// Parameters" in the Amazon S3 API Reference.
@Suite("Signatures are those that AWS has published")
struct SigV4PublishedTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var title: String
        var request: S3Request
        var signed: String
        var signature: String

        var testDescription: String { title }
    }

    static let time = SigningTime(secondsSince1970: 1_369_353_600)
    static let origin = known(WebOrigin("https://examplebucket.s3.amazonaws.com"))
    static let key = SigningKey(
        S3Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE",
            secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
        ),
        region: .standard,
        at: time
    )

    static let examples = [
        Example(
            title: "GET Object",
            request: S3Request(.get, at: origin, path: "/test.txt", headers: [.init("Range", "bytes=0-9")]),
            signed: "host;range;x-amz-content-sha256;x-amz-date",
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        ),
        Example(
            title: "PUT Object",
            request: S3Request(
                .put,
                at: origin,
                path: "/test$file.text",
                headers: [
                    .init("Date", "Fri, 24 May 2013 00:00:00 GMT"),
                    .init("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                ],
                payload: .bytes(Array("Welcome to Amazon S3.".utf8))
            ),
            signed: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        ),
        Example(
            title: "GET Bucket Lifecycle",
            request: S3Request(.get, at: origin, path: "/", query: [.init("lifecycle", "")]),
            signed: "host;x-amz-content-sha256;x-amz-date",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        ),
        Example(
            title: "Get Bucket (List Objects)",
            request: S3Request(
                .get,
                at: origin,
                path: "/",
                query: [.init("prefix", "J"), .init("max-keys", "2")]
            ),
            signed: "host;x-amz-content-sha256;x-amz-date",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        ),
    ]

    @Test("in the header", arguments: examples)
    func header(_ example: Example) {
        let fields = Self.key.headers(for: example.request, at: Self.time)

        #expect(
            fields.last
                == .init(
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                        + "SignedHeaders=\(example.signed),Signature=\(example.signature)"
                )
        )
        #expect(fields.contains(.init("x-amz-date", "20130524T000000Z")))
        #expect(fields.first == .init("host", "examplebucket.s3.amazonaws.com"))
    }

    @Test("in a URL")
    func url() {
        let request = S3Request(.get, at: Self.origin, path: "/test.txt")

        #expect(
            Self.key.presignedURL(for: request, at: Self.time, lifetime: .seconds(86_400))
                == "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        )
    }

    @Test("by the key of any day", arguments: [0, 1_369_353_599, 1_369_440_000, 4_102_444_800])
    func renewal(day: Int) {
        let other = SigningKey(
            S3Credentials(
                accessKey: "AKIAIOSFODNN7EXAMPLE",
                secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
            ),
            region: .standard,
            at: SigningTime(secondsSince1970: day)
        )
        let request = Self.examples[0].request

        #expect(other.headers(for: request, at: Self.time) == Self.key.headers(for: request, at: Self.time))
    }

    @Test("what signs is not printed")
    func silence() {
        let credentials = S3Credentials(accessKey: "AKID", secretKey: "hidden", sessionToken: "token")
        let key = SigningKey(credentials, region: .standard, at: Self.time)
        var printed = "\(credentials) \(key) \([credentials])"
        dump(credentials, to: &printed)
        dump(key, to: &printed)

        #expect(!["AKID", "hidden", "token", "Key("].contains { printed.contains($0) })
    }
}
