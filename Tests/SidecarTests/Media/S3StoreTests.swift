import Foundation
import NIOCore
import ObjectStore
import Testing

@testable import Sidecar

@Suite("An S3 store is asked, filled and read, and its failures are told apart")
struct S3StoreTests {
    // A machine that is busy with other tests is no store that is away.
    private static let http = S3Client.httpClient(connecting: .minutes(10))

    private func store(port: Int, _ change: (inout S3Client.Limits) -> Void = { _ in }) throws -> S3Store {
        let endpoint = try #require(WebOrigin("http://127.0.0.1:\(port)"))
        let location = S3Location(
            endpoint: endpoint,
            publicEndpoint: try #require(WebOrigin("https://images.example.org")),
            bucket: try #require(BucketName("bucket"))
        )
        let credentials = S3Credentials(accessKey: "access", secretKey: "hidden-secret")
        var client = S3Client(http: Self.http, signer: S3Signer(credentials, region: .standard))
        client.limits = S3Client.Limits(
            upload: .minutes(10),
            download: .minutes(10),
            question: .minutes(10),
            retries: .seconds(600),
            firstPause: .milliseconds(1)
        )
        change(&client.limits)
        return S3Store(location, client: client)
    }

    private static func fault(_ code: String) -> String {
        "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Resource>/x</Resource></Error>"
    }

    @Test("an image is put whole, with its length, type and digest signed")
    func put() async throws {
        let server = ScriptedStore([.status(404, Self.fault("NoSuchKey"))])
        let image = SampleImage.png(250_000)
        let content = try MediaContent(SampleImage.text(image))

        let store = try store(port: server.port)
        try await store.put(content, cameIn: .request)
        try await store.put(content, cameIn: .request)

        let path = "/bucket/\(content.name.key)"
        #expect(server.lines == ["GET \(path)", "PUT \(path)", "PUT \(path)"])
        let request = try #require(server.requests.last)
        #expect(request.body == image)
        #expect(request.headers["content-length"] == "250000")
        #expect(request.headers["content-type"] == "image/png")
        #expect(request.headers["host"] == "127.0.0.1:\(server.port)")
        #expect(request.headers["x-amz-content-sha256"] == content.name.digest.hexadecimal)
        #expect(request.headers["transfer-encoding"] == nil)
        #expect(request.headers["authorization"]?.contains("SignedHeaders=content-type;host;") == true)
    }

    @Test("a missing bucket is made, at the start and later")
    func bucket() async throws {
        let missing = ScriptedStore.Answer.status(404, Self.fault("NoSuchBucket"))
        let content = try SampleImage.content()
        let path = "/bucket/\(content.name.key)"

        let atStart = ScriptedStore([missing, .status(200), .status(200)])
        try await store(port: atStart.port).put(content, cameIn: .request)
        #expect(atStart.lines == ["GET \(path)", "PUT /bucket", "PUT \(path)"])
    }

    @Test("a bucket that is deleted while it is used is made anew; another's making it is no failure")
    func bucketLater() async throws {
        let content = try SampleImage.content()
        let path = "/bucket/\(content.name.key)"
        let server = ScriptedStore([
            .status(200), .status(404, Self.fault("NoSuchBucket")),
            .status(409, Self.fault("BucketAlreadyOwnedByYou")),
        ])

        let store = try store(port: server.port)
        #expect(try await store.contains(content.name, cameIn: .request))
        try await store.put(content, cameIn: .request)
        #expect(server.lines == ["HEAD \(path)", "PUT \(path)", "PUT /bucket", "PUT \(path)"])
    }

    @Test("what passes is tried again, and signed again")
    func retries() async throws {
        let content = try SampleImage.content()
        let server = ScriptedStore([
            .status(404), .status(503, Self.fault("SlowDown")), .status(500), .hangUp, .status(200),
        ])

        try await store(port: server.port).put(content, cameIn: .request)

        #expect(server.lines.count == 5)
        #expect(server.requests.dropFirst().allSatisfy { $0.body == SampleImage.png(100) })
    }

    @Test(
        "what does not pass is told at once",
        arguments: [
            (403, "SignatureDoesNotMatch", MediaStoreError.Kind.denied), (403, "AccessDenied", .denied),
            (403, "RequestTimeTooSkewed", .expired), (400, "ExpiredToken", .expired),
            (400, "InvalidDigest", .refused), (301, "PermanentRedirect", .refused),
        ]
    )
    func refused(status: Int, code: String, kind: MediaStoreError.Kind) async throws {
        let server = ScriptedStore { $0.method == "PUT" ? .status(status, Self.fault(code)) : .status(404) }
        let content = try SampleImage.content()

        let store = try store(port: server.port)
        await #expect(throws: MediaStoreError(kind, "status \(status) \(code)")) {
            try await store.put(content, cameIn: .request)
        }
        #expect(server.lines.count { $0.hasPrefix("PUT") } == 1)
    }

    @Test("trying again ends", arguments: [503, 0])
    func busy(status: Int) async throws {
        let server = ScriptedStore { _ in status == 0 ? .hangUp : .status(status) }
        let content = try SampleImage.content()

        for (retries, tries) in [(Duration.seconds(600), 5), (.zero, 1)] {
            let before = server.lines.count
            let store = try store(port: server.port) { $0.retries = retries }
            let error = await #expect(throws: MediaStoreError.self) {
                try await store.put(content, cameIn: .request)
            }
            #expect(error?.isOutage == true)
            #expect(server.lines.count - before == tries)
        }
    }

    @Test("a store that says nothing does not hold anybody for ever")
    func silent() async throws {
        let server = ScriptedStore { _ in .silence }
        let name = try SampleImage.content().name
        let store = try store(port: server.port) {
            $0.question = .milliseconds(50)
        }

        let error = await #expect(throws: MediaStoreError.self) {
            _ = try await store.contains(name, cameIn: .request)
        }
        #expect(error?.kind == .timedOut)
        #expect(server.lines.count == 1, "asking again would take as long again")
    }

    @Test("nobody at the port is unreachable")
    func unreachable() async throws {
        let content = try SampleImage.content()
        let store = try store(port: ScriptedStore().port) { $0.retries = .milliseconds(20) }

        let error = await #expect(throws: MediaStoreError.self) {
            try await store.put(content, cameIn: .request)
        }
        #expect(error?.kind == .unreachable)
    }

    @Test("an upload ends when its task is cancelled")
    func cancelled() async throws {
        let server = ScriptedStore { _ in .silence }
        let content = try SampleImage.content()

        let store = try store(port: server.port)
        let upload = Task { try await store.put(content, cameIn: .request) }
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
        upload.cancel()

        await #expect(throws: MediaStoreError(.refused, "given up")) { try await upload.value }
    }

    @Test(
        "an image is there, is not, or may not be seen",
        arguments: [(200, true), (404, false), (403, false)]
    )
    func contains(status: Int, isThere: Bool) async throws {
        let name = try SampleImage.content().name
        let server = ScriptedStore { _ in .status(status) }

        #expect(try await store(port: server.port).contains(name, cameIn: .request) == isThere)
        #expect(server.lines == ["HEAD /bucket/\(name.key)"])
    }

    @Test("an image is read whole, or not at all")
    func read() async throws {
        let name = try SampleImage.content().name
        let server = ScriptedStore([.status(200, "image"), .status(404, Self.fault("NoSuchKey"))])

        let store = try store(port: server.port)
        let content = try await store.read(name)
        #expect(content == ByteBuffer(string: "image"))
        await #expect(throws: MediaStoreError(.notFound, "status 404 NoSuchKey")) {
            _ = try await store.read(name)
        }
    }

    @Test("links are signed for the public endpoint, with the key of the day")
    func links() throws {
        let name = try SampleImage.content().name
        let store = try store(port: 9)
        let day = 86_400
        let urls = [0, 1, day, day + 1, 0].map {
            store.url(
                for: name,
                at: SigningTime(secondsSince1970: 1_800_000_000 + $0),
                lifetime: .seconds(600)
            )
        }

        #expect(Set(urls).count == 4)
        #expect(urls[0] == urls[4], "a key that was renewed is found again")
        #expect(urls.allSatisfy { $0.hasPrefix("https://images.example.org/bucket/\(name.key)?") })
        #expect(urls.allSatisfy { store.objectName(ofOwnURL: $0) == name })
        #expect(!urls.contains { $0.contains("hidden-secret") })
    }
}
