import ObjectStore
import Testing

@Suite("Requests to a store are values")
struct S3RequestTests {
    static let location = Sample.bucket()
    static let path = "/pictures/\(Sample.key)"

    @Test("an object is put under the digest of its content")
    func put() {
        let request = Self.location.put(Sample.name)

        #expect(request.target == Self.path)
        #expect(request.method == .put)
        #expect(request.origin.text == "http://minio:9000")
        #expect(request.headers == [.init("content-type", "image/png")])
        #expect(request.payload == .digest(Sample.name.digest))
    }

    @Test("an object is asked for and read by its name")
    func read() {
        let origin = Self.location.endpoint

        #expect(Self.location.head(Sample.name) == S3Request(.head, at: origin, path: Self.path))
        #expect(Self.location.get(Sample.name) == S3Request(.get, at: origin, path: Self.path))
    }

    @Test("without path style the bucket is part of the host")
    func virtualHost() {
        let request = Sample.bucket(usesPathStyle: false).get(Sample.name)

        #expect(request.origin.text == "http://pictures.minio:9000")
        #expect(request.target == "/\(Sample.key)")
        #expect(Sample.bucket(usesPathStyle: false).createBucket().target == "/")
    }

    @Test("a bucket is made in its region, which is named unless it is the standard one")
    func createBucket() throws {
        let standard = Self.location.createBucket()
        let other = Sample.bucket(region: try #require(S3Region("eu-west-1"))).createBucket()
        let body =
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            + "<LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>"

        #expect(standard == S3Request(.put, at: Self.location.endpoint, path: "/pictures"))
        #expect(other.payload == .bytes(Array(body.utf8)))
    }

    @Test("an object is written in parts")
    func multipart() {
        let initiate = Self.location.initiateMultipart(Sample.name)
        let signed = Self.location.uploadPart(
            Sample.name,
            uploadID: "a/b+c",
            number: 3,
            digest: Sample.name.digest
        )
        let unsigned = Self.location.uploadPart(Sample.name, uploadID: "a", number: 1, digest: nil)
        let complete = Self.location.completeMultipart(Sample.name, uploadID: "a", etags: ["\"1\"", "<2&>"])
        let abort = Self.location.abortMultipart(Sample.name, uploadID: "a")
        let body =
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            + "<Part><PartNumber>1</PartNumber><ETag>\"1\"</ETag></Part>"
            + "<Part><PartNumber>2</PartNumber><ETag>&lt;2&amp;&gt;</ETag></Part></CompleteMultipartUpload>"

        #expect((initiate.method, initiate.target) == (.post, Self.path + "?uploads="))
        #expect(initiate.headers == [.init("content-type", "image/png")])
        #expect((signed.method, signed.target) == (.put, Self.path + "?partNumber=3&uploadId=a%2Fb%2Bc"))
        #expect((signed.payload, unsigned.payload) == (.digest(Sample.name.digest), .unsigned))
        #expect((complete.method, complete.target) == (.post, Self.path + "?uploadId=a"))
        #expect(complete.payload == .bytes(Array(body.utf8)))
        #expect((abort.method, abort.target) == (.delete, Self.path + "?uploadId=a"))
    }

    @Test(
        "the identifier of an upload is read from the answer",
        arguments: [
            (
                "<InitiateMultipartUploadResult><UploadId>a.b-c</UploadId></InitiateMultipartUploadResult>",
                "a.b-c"
            ),
            ("<?xml version='1.0'?>\n<InitiateMultipartUploadResult xmlns=''> <UploadId>1</UploadId>", "1"),
            ("<InitiateMultipartUpload>\n  <UploadId>2-4</UploadId>\n</InitiateMultipartUpload>", "2-4"),
            ("<InitiateMultipartUploadResult><UploadId>a&amp;b</UploadId>", nil),
            ("<InitiateMultipartUploadResult><UploadId></UploadId>", nil),
            ("<Error><UploadId>1</UploadId></Error>", nil), ("", nil),
        ] as [(String, String?)]
    )
    func uploadID(answer: String, identifier: String?) {
        #expect(Array(answer.utf8).withUnsafeBytes { S3Location.uploadID(in: $0) } == identifier)
    }

    @Test(
        "the names of buckets follow the rules",
        arguments: [
            ("pictures", true), ("a.b-c9", true), ("abc", true), ("ab", false), ("Pictures", false),
            ("-abc", false), ("abc.", false), ("a..b", false), ("a_b", false), ("a/b", false), ("äbc", false),
            (String(repeating: "a", count: 63), true), (String(repeating: "a", count: 64), false),
        ]
    )
    func buckets(name: String, isOne: Bool) {
        #expect((BucketName(name) != nil) == isOne)
    }

    @Test(
        "the names of regions are plain",
        arguments: [("us-east-1", true), ("auto", true), ("", false), ("<eu>", false), ("EU", false)]
    )
    func regions(name: String, isOne: Bool) {
        #expect((S3Region(name) != nil) == isOne)
    }
}
