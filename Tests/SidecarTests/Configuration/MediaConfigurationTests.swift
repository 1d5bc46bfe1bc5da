import ObjectStore
import Testing

@testable import Sidecar

@Suite("How images are kept is read from the section media")
struct MediaConfigurationTests {
    private static func read(_ media: String, _ environment: [String: String] = [:]) throws -> Configuration {
        try Configuration.read(
            "{ \"version\": 1, \(media) }",
            from: .embedded,
            environment: EnvironmentVariables(process: environment)
        ).configuration
    }

    @Test("without the section images stay where they are")
    func off() throws {
        #expect(try Self.read(#""log": {}"#).media == nil)
    }

    @Test("an empty section is a folder, with the defaults")
    func defaults() throws {
        let media = try #require(try Self.read(#""media": {}"#).media)

        let expected = MediaSettings(
            store: .directory(.init(path: "var/media")),
            requests: true,
            responses: false,
            minBytes: 2_048,
            urlLifetime: .seconds(604_800),
            signWindow: .seconds(43_200),
            onStoreFailure: .inline,
            note: "media.responses is off, since media.publicURL is missing"
        )
        #expect(media == expected)
    }

    @Test("a folder with everything said")
    func directory() throws {
        let media = try #require(
            try Self.read(
                """
                "media": { "store": { "kind": "directory", "path": "/data", "maxBytes": 1000,
                                      "endpointForUpstream": "http://sidecar:4100/x/", "bucket": "ignored" },
                           "publicURL": "https://ai.example.org/", "requests": false, "minBytes": 0,
                           "urlLifetimeSeconds": 120, "signWindowSeconds": 60, "onStoreFailure": "reject" }
                """
            ).media
        )

        let expected = MediaSettings(
            store: .directory(
                .init(path: "/data", maxBytes: 1_000, endpointForUpstream: "http://sidecar:4100/x")
            ),
            publicURL: "https://ai.example.org",
            requests: false,
            responses: true,
            minBytes: 0,
            urlLifetime: .seconds(120),
            signWindow: .seconds(60),
            onStoreFailure: .reject
        )
        #expect(media == expected)
    }

    private static let s3 = """
        "kind": "s3", "endpoint": "http://minio:9000", "bucket": "images", "accessKey": "a", "secretKey": "${S}"
        """

    @Test("a bucket, its public endpoint, region and style")
    func bucket() throws {
        let environment = ["S": "hidden-secret"]
        let (plain, full) = (
            try Self.read("\"media\": { \"store\": { \(Self.s3) } }", environment).media,
            try Self.read(
                """
                "media": { "store": { \(Self.s3), "publicEndpoint": "https://images.example.org", "region": "eu-1",
                                      "pathStyle": false } }
                """,
                environment
            ).media
        )
        let endpoint = try #require(WebOrigin("http://minio:9000"))
        let bucket = try #require(BucketName("images"))
        let credentials = S3Credentials(accessKey: "a", secretKey: "hidden-secret")
        let location = S3Location(endpoint: endpoint, publicEndpoint: endpoint, bucket: bucket)

        #expect(plain?.store == .s3(.init(location: location, credentials: credentials)))
        let other = S3Location(
            endpoint: endpoint,
            publicEndpoint: try #require(WebOrigin("https://images.example.org")),
            bucket: bucket,
            region: try #require(S3Region("eu-1")),
            usesPathStyle: false
        )
        #expect(full?.store == .s3(.init(location: other, credentials: credentials)))
    }

    @Test("the secret key is shown nowhere, and is no part of the hash")
    func secret() throws {
        let file = "\"media\": { \"store\": { \(Self.s3) } }"
        let (one, other) = (
            try Self.read(file, ["S": "hidden-one"]), try Self.read(file, ["S": "hidden-two"])
        )

        #expect(one.hash == other.hash)
        #expect(one.media != other.media)
        var dumped = ""
        dump(one, to: &dumped)
        #expect(!dumped.contains("hidden-one"))
    }

    @Test(
        "upstreams fetch from the gateway's own port, unless it is said otherwise",
        arguments: [
            ("0.0.0.0", 4100, nil, "http://127.0.0.1:4100"), ("::", 81, nil, "http://127.0.0.1:81"),
            ("10.0.0.7", 4100, nil, "http://10.0.0.7:4100"), ("::1", 4100, nil, "http://[::1]:4100"),
            ("0.0.0.0", 4100, "http://sidecar:4100", "http://sidecar:4100"),
        ]
    )
    func base(host: String, port: Int, endpoint: String?, base: String) {
        let directory = MediaSettings.Directory(path: "x", endpointForUpstream: endpoint)

        #expect(directory.base(gateway: ListenAddress(host: host, port: port)) == base)
        #expect(DirectoryLocation(base: base, secret: Array(repeating: 1, count: 32)) != nil)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var media: String
        var problems: [String]

        var testDescription: String { when }
    }

    static let wrong = [
        Row(
            when: "kind s3 without what it needs",
            media: #""store": { "kind": "s3" }"#,
            problems: ["endpoint", "bucket", "accessKey", "secretKey"].map {
                "/media/store/\($0): missing, and kind s3 needs it; write it, or kind directory"
            }
        ),
        Row(
            when: "names and addresses that are none",
            media: """
                "store": { "kind": "s3", "endpoint": "http://minio:9000/x", "publicEndpoint": "https://a/b",
                           "bucket": "My_Bucket", "region": "EU", "accessKey": "a", "secretKey": "b" }
                """,
            problems: [
                "/media/store/endpoint: names more than scheme, host and port; write one such as http://minio:9000",
                "/media/store/publicEndpoint: names more than scheme, host and port; write one such as http://minio:9000",
                #"/media/store/bucket: "My_Bucket" is no name of a bucket; write lower-case letters, digits and '-', 63 at most"#,
                #"/media/store/region: "EU" is no name of a region; write lower-case letters, digits and '-', 63 at most"#,
            ]
        ),
        Row(
            when: "a limit for a bucket",
            media: """
                "store": { "kind": "s3", "endpoint": "http://minio:9000", "bucket": "abc", "accessKey": "a",
                           "secretKey": "b", "maxBytes": 5 }
                """,
            problems: ["/media/store/maxBytes: a bucket has rules of its own for that; remove it"]
        ),
        Row(
            when: "a link that may be over before it is fetched",
            media: #""urlLifetimeSeconds": 3600"#,
            problems: [
                "/media/signWindowSeconds: 43200 is more than half of urlLifetimeSeconds (3600); write 1800 or less, or raise that"
            ]
        ),
        Row(
            when: "a lifetime that no store takes, and words that are unknown",
            media: #""urlLifetimeSeconds": 604801, "onStoreFailure": "drop", "store": { "kind": "gcs" }"#,
            problems: [
                #"/media/store/kind: "gcs" is not known; write one of s3, directory"#,
                "/media/urlLifetimeSeconds: 604801 is outside 2...604800",
                #"/media/onStoreFailure: "drop" is not known; write one of inline, reject"#,
            ]
        ),
        Row(
            when: "a misspelt key",
            media: #""minByte": 1"#,
            problems: ["/media/minByte: unknown key; did you mean minBytes?"]
        ),
        Row(
            when: "an empty secret",
            media: """
                "store": { "kind": "s3", "endpoint": "http://minio:9000", "bucket": "abc", "accessKey": "a",
                           "secretKey": "" }
                """,
            problems: ["/media/store/secretKey: empty; set what it is taken from, or remove it"]
        ),
    ]

    @Test("what is wrong is told where it stands", arguments: wrong)
    func problems(_ row: Row) {
        #expect(SidecarTests.problems(in: "{ \"version\": 1, \"media\": { \(row.media) } }") == row.problems)
    }

    @Test("images come through the gateway")
    func noGateway() {
        let file = """
            { "version": 1, "listen": { "admin": {} }, "media": {} }
            """

        #expect(
            SidecarTests.problems(in: file)
                == ["/media: images come through the gateway; name listen.gateway, or remove it"]
        )
    }

    private static func arms(_ media: String, _ patch: String) -> String {
        """
        { "version": 1, \(media)"experiments": [{ "name": "e", "arms": [
            { "name": "a", "weight": 1 }, { "name": "b", "weight": 1, "patch": \(patch) }] }] }
        """
    }

    @Test("an arm changes what is done with images, and may leave them alone")
    func arms() throws {
        let text = Self.arms(
            #""media": {}, "#,
            #"{ "media": { "minBytes": 7, "onStoreFailure": "reject" } }"#
        )
        let off = Self.arms(#""media": {}, "#, #"{ "media": null }"#)
        func media(_ text: String) throws -> [MediaSettings?] {
            try Configuration.read(text, from: .embedded, environment: EnvironmentVariables(process: [:]))
                .configuration.experiments[0].arms.map(\.media)
        }

        #expect(try media(text).map { $0?.minBytes } == [2_048, 7])
        #expect(try media(text).map { $0?.onStoreFailure } == [.inline, .reject])
        #expect(try media(off).map { $0 == nil } == [false, true])
    }

    @Test("an arm has the file's store, or none")
    func armsShareTheStore() {
        let place = "/experiments/0/arms/1/patch/media"

        #expect(
            SidecarTests.problems(in: Self.arms("", #"{ "media": {} }"#))
                == ["\(place): there is no store to share; name media in the file itself"]
        )
        let told = SidecarTests.problems(in: Self.arms(#""media": {}, "#, #"{ "media": { "store": {} } }"#))
        #expect(told.count == 1)
        #expect(told.first?.hasPrefix("\(place)/store: the same for every arm; remove it") == true)
    }
}
