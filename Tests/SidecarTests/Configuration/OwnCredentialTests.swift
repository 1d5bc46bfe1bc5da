import Testing

@testable import Sidecar

@Suite("Credentials of our own are taken, kept secret, and guarded")
struct OwnCredentialTests {
    private func read(_ text: String, _ environment: [String: String] = [:]) throws -> Configuration {
        try Configuration.read(text, from: .embedded, environment: EnvironmentVariables(process: environment))
            .configuration
    }

    @Test("bearer and client keys come from the environment")
    func reads() throws {
        let file = """
            { "version": 1, "listen": { "gateway": { "clientKeys": ["sk-1", "${TEAM}"] } },
              "upstreams": { "litellm": { "url": "http://a" },
                "google": { "kind": "openai", "bearer": "${KEY}",
                            "url": "https://generativelanguage.googleapis.com/v1beta/openai" } } }
            """

        let configuration = try read(file, ["TEAM": "sk-2", "KEY": "AIza"])

        let url = UpstreamURL(
            isTLS: true,
            host: "generativelanguage.googleapis.com",
            port: 443,
            pathPrefix: "/v1beta/openai"
        )
        #expect(
            configuration.upstreams["google"]
                == Upstream(name: "google", kind: .openai, url: url, bearer: "AIza")
        )
        #expect(configuration.upstreams["litellm"]?.bearer == nil)
        #expect(configuration.listen.gateway?.clientKeys == ["sk-1", "sk-2"])
    }

    @Test(
        "an upstream of kind openai needs no path, and may take its kind from its name",
        arguments: [
            ("http://vllm:8000", ""), ("http://vllm:8000/v1", "/v1"),
            ("https://a/v1beta/openai/", "/v1beta/openai"),
        ]
    )
    func paths(_ row: (url: String, prefix: String)) throws {
        let upstreams = try read(
            """
            { "version": 1, "upstreams": { "litellm": { "url": "http://a" }, "openai": { "url": "\(row.url)" } } }
            """
        ).upstreams

        #expect(upstreams["openai"]?.kind == .openai)
        #expect(upstreams["openai"]?.url.pathPrefix == row.prefix)
    }

    static let empty = "empty; set what it is taken from, or remove it"
    static let unsendable = "cannot stand in a header; write visible ASCII characters without spaces"

    @Test(
        "a credential that nobody could use is a problem",
        arguments: [
            (#""upstreams": { "litellm": { "url": "http://a", "bearer": "" } }"#, "litellm/bearer", empty),
            (
                #""upstreams": { "litellm": { "url": "http://a", "bearer": "${NO:-}" } }"#, "litellm/bearer",
                empty
            ),
            (
                #""upstreams": { "litellm": { "url": "http://a", "bearer": "two words" } }"#,
                "litellm/bearer", unsendable
            ),
            (
                #""upstreams": { "litellm": { "url": "http://a" }, "dify": { "url": "http://b", "bearer": "x" } }"#,
                "dify/bearer", "a Dify knows apps by keys of their own; remove it"
            ),
        ]
    )
    func bearer(_ row: (file: String, place: String, problem: String)) {
        #expect(
            problems(in: "{ \"version\": 1, \(row.file) }") == ["/upstreams/\(row.place): \(row.problem)"]
        )
    }

    @Test(
        "a client key that nobody could send is a problem",
        arguments: [
            (#"[""]"#, "/0", empty), (#"["good", "${NO:-}"]"#, "/1", empty), (#"["a\nb"]"#, "/0", unsendable),
            ("[7]", "/0", "its value is not a string; write it in double quotes"),
            (#"{ "hunter2": true }"#, "", "its value is not a list; write [ … ]"),
        ]
    )
    func clientKeys(_ row: (keys: String, place: String, problem: String)) {
        let file = "{ \"version\": 1, \"listen\": { \"gateway\": { \"clientKeys\": \(row.keys) } } }"

        #expect(problems(in: file) == ["/listen/gateway/clientKeys\(row.place): \(row.problem)"])
    }

    @Test("neither is part of the hash")
    func hash() throws {
        func hash(bearer: String, key: String) throws -> String {
            try read(
                """
                { "version": 1, "listen": { "gateway": { "clientKeys": ["\(key)"] } },
                  "upstreams": { "litellm": { "url": "http://a", "bearer": "\(bearer)" } } }
                """
            ).hash
        }

        #expect(try hash(bearer: "a", key: "b") == hash(bearer: "hunter2", key: "hunter3"))
    }

    /// Google with a bearer, and beside it a server without one.
    static let upstreams = """
        "upstreams": { "litellm": { "url": "http://a" }, "dify": { "url": "http://b" },
            "vllm": { "kind": "openai", "url": "http://c" },
            "google": { "kind": "openai", "url": "http://d", "bearer": "key" } }
        """
    static let chain = #""routes": [{ "name": "a", "chain": ["$requested", "m@google"] }]"#
    static let arm = """
        "experiments": [{ "name": "e", "arms": [{ "name": "a", "weight": 1, "patch": { \(chain) } }] }]
        """

    @Test(
        "nobody can be vouched for where there is neither a LiteLLM nor a list",
        arguments: [
            (
                #""gateway": { "upstream": "google" }"#, "", "/listen/gateway/upstream: ",
                ", or list clientKeys"
            ),
            (#""dify": { "upstream": "google" }"#, "", "/listen/dify/upstream: ", ""),
            (
                #""gateway": { "upstream": "vllm" }"#, chain, "/listen/gateway/upstream: ",
                ", or list clientKeys"
            ),
            (#""dify": { "upstream": "vllm" }"#, chain, "/listen/dify/upstream: ", ""),
            (
                #""gateway": { "upstream": "vllm" }"#, arm,
                "/experiments/0/arms/0/patch: makes /listen/gateway/upstream wrong: ", ", or list clientKeys"
            ),
        ]
    )
    func unvouched(_ row: (listen: String, rest: String, start: String, end: String)) {
        let rest = row.rest.isEmpty ? "" : ", \(row.rest)"
        let file = "{ \"version\": 1, \"listen\": { \(row.listen) }, \(Self.upstreams)\(rest) }"

        let problem = """
            no LiteLLM, so nobody can be vouched for at "google", which has a bearer; write one of kind litellm
            """
        #expect(problems(in: file) == [row.start + problem + row.end])
    }

    @Test(
        "clients can be vouched for by a LiteLLM, or by being listed, and need not be where nothing is spent",
        arguments: [
            (#""gateway": { "upstream": "litellm" }"#, chain),
            (#""gateway": { "upstream": "google", "clientKeys": ["k"] }"#, chain),
            (#""gateway": { "upstream": "vllm", "clientKeys": ["k"] }"#, chain),
            (#""gateway": { "upstream": "vllm" }"#, ""),
            (#""dify": {}"#, chain),
        ]
    )
    func vouched(_ row: (listen: String, rest: String)) {
        let rest = row.rest.isEmpty ? "" : ", \(row.rest)"

        #expect(
            problems(in: "{ \"version\": 1, \"listen\": { \(row.listen) }, \(Self.upstreams)\(rest) }") == []
        )
    }
}
