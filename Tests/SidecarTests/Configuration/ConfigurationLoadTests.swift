import Foundation
import Policies
import TestSupport
import Testing

@testable import Sidecar

@Suite("A configuration is found, completed and typed")
final class ConfigurationLoadTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path()

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func write(_ text: String, to name: String) throws -> String {
        let path = "\(folder)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func load(
        path: String? = nil,
        environment: [String: String] = [:],
        envFile: String? = nil
    ) throws(ConfigurationError) -> LoadedConfiguration {
        try Configuration.load(
            path: path,
            environment: environment,
            envFile: envFile,
            defaultPath: "\(folder)/default.json"
        )
    }

    static let twoLines = """
        { "version": 1,
          "upstreams": { "litellm": { "url": "http://litellm:4000" } } }
        """

    @Test("two lines are enough")
    func twoLines() throws {
        let configuration = try load(path: write(Self.twoLines, to: "two.json")).configuration

        let upstream = UpstreamURL(isTLS: false, host: "litellm", port: 4000)
        #expect(
            configuration.upstreams == ["litellm": Upstream(name: "litellm", kind: .litellm, url: upstream)]
        )
        #expect(
            configuration.listen
                == ListenSettings(
                    gateway: ProxyListener(
                        name: .gateway,
                        address: ListenAddress(host: "0.0.0.0", port: 4100),
                        upstream: "litellm"
                    ),
                    admin: AdminListener(address: ListenAddress(host: "127.0.0.1", port: 4190))
                )
        )
        #expect(
            configuration.policies == PolicySettings(),
            "the defaults of the table and of the policies agree"
        )
        #expect(configuration.timeouts.firstToken == .seconds(120))
        #expect(configuration.limits.maxBodyBytes == 67_108_864)
        #expect(configuration.log.level == .info)
    }

    @Test("only listeners that are named exist")
    func namedListeners() throws {
        let file = """
            { "version": 1, "listen": { "dify": { "address": "[::1]:0" } },
              "upstreams": { "dify": { "url": "https://dify.example/x/" } } }
            """

        let configuration = try load(path: write(file, to: "dify.json")).configuration

        let address = ListenAddress(host: "::1", port: 0)
        #expect(
            configuration.listen
                == ListenSettings(dify: ProxyListener(name: .dify, address: address, upstream: "dify"))
        )
        #expect(
            configuration.upstreams["dify"]?.url
                == UpstreamURL(isTLS: true, host: "dify.example", port: 443, pathPrefix: "/x")
        )
    }

    @Test("models and routes are what the file says")
    func policies() throws {
        let file = """
            { "version": 1,
              "upstreams": { "litellm": { "url": "http://a" }, "b": { "kind": "litellm", "url": "http://b" } },
              "models": [{ "match": ["claude*"], "tokenScale": 1.25, "contextTokens": 200000, "vision": true,
                           "price": { "inputPerMillion": 3, "outputPerMillion": 15 } }],
              "routes": [{ "name": "r", "chain": ["$requested", "m@b", "x@20240620", "y@b@litellm"],
                           "when": { "header": { "X-Team": "d*" }, "contains": ["LOGO"], "path": "/v1/*" } }],
              "fallback": { "on": ["timeout"], "stickySeconds": 0.5, "patienceSeconds": 12 } }
            """

        let policies = try load(path: write(file, to: "policies.json")).configuration.policies

        let price = Price(inputPerMillion: 3, outputPerMillion: 15, cachedInputPerMillion: 3)
        #expect(
            policies.models == [
                ModelRule(
                    match: [Glob("claude*")],
                    tokenScale: 1.25,
                    contextTokens: 200_000,
                    vision: true,
                    price: price
                )
            ]
        )
        #expect(
            policies.routes == [
                Route(
                    name: "r",
                    when: Condition(header: ["x-team": Glob("d*")], path: Glob("/v1/*"), contains: ["logo"]),
                    chain: [
                        .requested, .model("m", upstream: "b"), .model("x@20240620", upstream: nil),
                        .model("y@b", upstream: "litellm"),
                    ]
                )
            ]
        )
        #expect(
            policies.fallback
                == FallbackSettings(on: [.timeout], sticky: .milliseconds(500), patience: .seconds(12))
        )
    }

    @Test("a named file comes first, then the variable's, then the default, then the embedded one")
    func order() throws {
        let environment = ["SIDECAR_CONFIG": try write(Self.twoLines, to: "variable.json")]
        let named = try write(Self.twoLines, to: "named.json")

        #expect(try load(path: named, environment: environment).source == .named(named))
        #expect(try load(environment: environment).source == .named("\(folder)/variable.json"))
        #expect(try load(environment: ["SIDECAR_CONFIG": ""]).source == .embedded)

        _ = try write(Self.twoLines, to: "default.json")
        #expect(try load().source == .defaultPath("\(folder)/default.json"))
    }

    @Test("without a file the embedded one serves, with LITELLM_URL")
    func embedded() throws {
        let configuration = try load(environment: ["LITELLM_URL": "https://litellm.example"]).configuration

        let url = UpstreamURL(isTLS: true, host: "litellm.example", port: 443)
        #expect(configuration.upstreams["litellm"]?.url == url)
        #expect(configuration.policies.routes.map(\.name) == ["tasks", "vision", "claude"])
    }

    @Test(
        "a variable that a default refers to may be wrong",
        arguments: [
            (
                "SIDECAR_GATEWAY",
                "/listen/gateway/address: not host:port; write one such as 0.0.0.0:4100 or [::1]:4100"
            ),
            (
                "SIDECAR_ADMIN_TOKEN",
                "/listen/admin/token: cannot stand in a header; write visible ASCII characters without spaces"
            ),
            (
                "LITELLM_URL",
                "/upstreams/litellm/url: not an address of an upstream; begin it with http:// or https://"
            ),
        ]
    )
    func wrongVariable(_ row: (name: String, problem: String)) {
        let environment = [row.name: "no good"]

        #expect(problems(in: #"{ "version": 1 }"#, environment: environment) == [row.problem])
        #expect(problems(in: shippedConfiguration, environment: environment) == [row.problem])
        #expect(
            problems(
                in: #"{ "version": 1, "listen": { "gateway": { "address": 1 } } }"#,
                environment: environment
            )
            .first == "/listen/gateway/address: 1 is not a string; write it in double quotes"
        )
    }

    @Test("a file that was named and is missing is an error")
    func missing() {
        let error = ConfigurationError(.init("\(folder)/no.json", "no such file; write it, or name another"))

        #expect(throws: error) { try load(path: "\(folder)/no.json") }
        #expect(throws: error) { try load(environment: ["SIDECAR_CONFIG": "\(folder)/no.json"]) }
        #expect(throws: error) { try load(envFile: "\(folder)/no.json") }
    }

    @Test("a folder and bytes that are no text are errors")
    func unreadable() throws {
        let path = "\(folder)/latin1.json"
        try Data([0x22, 0xE9, 0x22]).write(to: URL(filePath: path))

        #expect(
            throws: ConfigurationError(.init(folder, "cannot be read; name a file, and permit reading it"))
        ) {
            try load(path: folder)
        }
        #expect(throws: ConfigurationError(.init(path, "not UTF-8; save it as UTF-8"))) {
            try load(path: path)
        }
        #expect(throws: ConfigurationError(.init("/dev/zero", "more than 16777216 bytes; name another file")))
        {
            try load(path: "/dev/zero")
        }
    }

    @Test("a pipe does as well as a file", .timeLimit(.minutes(1)))
    func pipe() throws {
        let path = "\(folder)/pipe"
        try #require(mkfifo(path, 0o600) == 0)
        Thread.detachNewThread {
            FileHandle(forWritingAtPath: path)?.write(Data(Self.twoLines.utf8))
        }

        #expect(try load(path: path).configuration.upstreams["litellm"]?.url.host == "litellm")
    }

    @Test("files of secrets are read and reported for watching")
    func includedFiles() throws {
        let token = try write("s3cret\n", to: "token")

        let loaded = try load(environment: ["SIDECAR_ADMIN_TOKEN_FILE": token])

        #expect(loaded.configuration.listen.admin?.token == "s3cret")
        #expect(loaded.includedFiles == [token])
    }

    @Test("the environment comes before the file of variables")
    func environmentFile() throws {
        let file = try write("LITELLM_URL=http://file:1\nSIDECAR_ADMIN_TOKEN=abc\n", to: ".env")

        let loaded = try load(environment: ["LITELLM_URL": "http://process:2"], envFile: file)

        #expect(loaded.configuration.upstreams["litellm"]?.url.host == "process")
        #expect(loaded.configuration.listen.admin?.token == "abc")
    }

    @Test("the hash depends on values, not on layout, and on no secret")
    func hash() throws {
        func hash(_ file: String, _ environment: [String: String] = [:]) throws -> String {
            try Configuration.read(
                file,
                from: .embedded,
                environment: EnvironmentVariables(process: environment)
            )
            .configuration.hash
        }

        let hash1 = try hash(#"{ "version": 1 }"#)
        #expect(hash1.utf8.count == 16 && hash1.allSatisfy(\.isHexDigit))
        #expect(try hash(#"{"$schema": "x", "clip": {"maxContextTokens": 3.2e4}, "version": 1}"#) == hash1)
        #expect(try hash(#"{ "version": 1 }"#, ["SIDECAR_ADMIN_TOKEN": "s3cret"]) == hash1)
        #expect(try hash(#"{ "version": 1, "clip": { "maxContextTokens": 32001 } }"#) != hash1)
        #expect(try hash(#"{ "version": 1 }"#, ["LITELLM_URL": "http://a"]) != hash1)
    }
}

@Suite("The shipped configuration is what the program carries")
struct ShippedConfigurationTests {
    private func shipped(_ name: String) throws -> String {
        try String(contentsOf: Fixtures.repository.appending(path: "config/\(name)"), encoding: .utf8)
    }

    @Test("the file and the embedded text are the same")
    func sameText() throws {
        #expect(try shipped("antigravity.json") == shippedConfiguration)
    }

    @Test("the file is valid as it is")
    func valid() throws {
        #expect(problems(in: try shipped("antigravity.json")) == [])
    }

    /// `SIDECAR_RECORD=1 swift test --filter ShippedConfiguration` writes the file anew.
    @Test("the schema is the one that the table of keys makes")
    func schema() throws {
        if ProcessInfo.processInfo.environment["SIDECAR_RECORD"] != nil {
            let file = Fixtures.repository.appending(path: "config/antigravity.schema.json")
            try SchemaDocument.text.write(to: file, atomically: true, encoding: .utf8)
        }

        #expect(try shipped("antigravity.schema.json") == SchemaDocument.text)
    }
}
