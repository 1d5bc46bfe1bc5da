import ObjectStore
import Testing

@Suite("A store's refusal is told by its code, or else by its status")
struct S3FailureTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var status: Int
        var body: String
        var failure: S3Failure

        var testDescription: String { "\(status) \(body.prefix(80).debugDescription)" }

        init(_ status: Int, _ body: String, _ failure: S3Failure) {
            (self.status, self.body, self.failure) = (status, body, failure)
        }
    }

    private static func answer(_ code: String) -> String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>\(code)</Code><Message>No</Message></Error>"
    }

    static let rows = [
        Row(404, answer("NoSuchKey"), .notFound),
        Row(404, answer("NoSuchBucket"), .noSuchBucket),
        Row(403, answer("AccessDenied"), .denied),
        Row(403, answer("SignatureDoesNotMatch"), .denied),
        Row(403, answer("InvalidAccessKeyId"), .denied),
        Row(403, answer("RequestTimeTooSkewed"), .expired),
        Row(400, answer("ExpiredToken"), .expired),
        Row(403, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", .expired),
        Row(
            400,
            "<Error><Code>AccessDenied</Code><Message>The difference between the request time and the "
                + "server&#39;s time exceeds the maximum allowed.</Message></Error>",
            .expired
        ),
        Row(404, "<Error><Code>NoSuchKey</Code><Message>Request has expired</Message></Error>", .notFound),
        Row(503, answer("SlowDown"), .slowDown),
        Row(500, answer("InternalError"), .slowDown),
        Row(409, answer("BucketAlreadyOwnedByYou"), .alreadyOwned),
        Row(409, answer("BucketAlreadyExists"), .alreadyOwned),
        Row(400, answer("EntityTooLarge"), .other),
        Row(403, answer("SomethingNew"), .denied),
        Row(404, "", .notFound),
        Row(401, "", .denied),
        Row(403, "<html>Forbidden</html>", .denied),
        Row(429, "", .slowDown),
        Row(502, "Bad Gateway", .slowDown),
        Row(301, "", .other),
        Row(
            400,
            "<Error xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n <Code>NoSuchKey</Code></Error>",
            .notFound
        ),
        Row(400, "\u{FEFF}<Error><Code>NoSuchKey</Code></Error>", .notFound),
        Row(400, "<Errors><Code>NoSuchKey</Code></Errors>", .other),
        Row(400, "<a><Error><Code>NoSuchKey</Code></Error></a>", .other),
        Row(400, "<Error><Message><![CDATA[<Code>NoSuchKey</Code>]]></Message></Error>", .other),
        Row(400, "<Error><!-- <Code>NoSuchKey</Code> --></Error>", .other),
        Row(400, "<Error><Message>&lt;Code>NoSuchKey&lt;/Code></Message></Error>", .other),
        Row(400, "<Error><Code>NoSuchKey</Cod", .other),
        Row(400, "<Error><Code> NoSuchKey</Code></Error>", .other),
        Row(400, "<Error><Code>" + String(repeating: "a", count: 65) + "</Code></Error>", .other),
        Row(400, answer("NoSuchKey") + String(repeating: " ", count: 16_384), .other),
    ]

    @Test("each in its class", arguments: rows)
    func row(_ row: Row) {
        let failure = Array(row.body.utf8).withUnsafeBytes { S3Failure(status: row.status, body: $0) }

        #expect(failure == row.failure)
    }

    @Test("what is not UTF-8 has no code")
    func garbage() {
        let body = Array("<Error><Code>NoSuchKey</Code>".utf8) + [0xFF]

        #expect(body.withUnsafeBytes { S3Failure(status: 400, body: $0) } == .other)
    }

    @Test("a success may report a failure in its content")
    func completing() {
        let failed = Array(Self.answer("InternalError").utf8)
        let done = Array("<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>".utf8)

        #expect(failed.withUnsafeBytes { S3Failure(completing: $0) } == .slowDown)
        #expect(done.withUnsafeBytes { S3Failure(completing: $0) } == nil)
    }

    @Test(
        "a code for the log is of letters and digits, and not long",
        arguments: [
            ("NoSuchKey", true), ("a b", false), ("a\nb", false), ("ä", false),
            (String(repeating: "a", count: 64), true), (String(repeating: "a", count: 65), false),
        ]
    )
    func code(text: String, isOne: Bool) {
        let answer = Array(Self.answer(text).utf8)

        #expect(answer.withUnsafeBytes { S3Failure.code(in: $0) } == (isOne ? text : nil))
    }
}
