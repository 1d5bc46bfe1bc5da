import Testing

@testable import Sidecar

@Suite("A reload keeps the listeners that run")
struct RunningListenersTests {
    private static func read(_ text: String) throws -> Configuration {
        try Configuration.read(text, from: .embedded, environment: EnvironmentVariables(process: [:]))
            .configuration
    }

    private static func file(_ listen: String, _ upstreams: String = #""litellm": { "url": "http://a" }"#)
        -> String
    {
        "{ \"version\": 1, \"listen\": { \(listen) }, \"upstreams\": { \(upstreams) } }"
    }

    @Test(
        "what waits for a restart is named",
        arguments: [
            (#""gateway": {}"#, #""gateway": {}"#, []),
            (
                #""gateway": {}"#, #""gateway": { "address": "127.0.0.1:1" }"#, ["listen.gateway.address"]
            ),
            (
                #""gateway": {}"#, #""gateway": { "upstream": "b", "clientKeys": ["k"] }"#,
                ["listen.gateway.upstream", "listen.gateway.clientKeys"]
            ),
            (#""gateway": {}"#, #""dify": { "upstream": "b" }"#, ["listen.gateway", "listen.dify"]),
            (
                #""gateway": {}, "admin": {}"#,
                #""gateway": {}, "admin": { "address": "127.0.0.1:1", "token": "t" }"#,
                ["listen.admin.address", "listen.admin.token"]
            ),
            (#""gateway": {}, "admin": {}"#, #""gateway": {}"#, ["listen.admin"]),
            (
                #""gateway": {}, "egress": {}"#,
                #""gateway": {}, "egress": { "address": "127.0.0.1:1", "credentials": "u:p" }"#,
                ["listen.egress.address", "listen.egress.credentials"]
            ),
            (#""gateway": {}"#, #""gateway": {}, "egress": {}"#, ["listen.egress"]),
        ] as [(String, String, [String])]
    )
    func waiting(_ row: (running: String, file: String, waiting: [String])) throws {
        let upstreams = #""litellm": { "url": "http://a" }, "b": { "kind": "litellm", "url": "http://b" }"#
        let running = try Self.read(Self.file(row.running, upstreams))
        var configuration = try Self.read(Self.file(row.file, upstreams))

        #expect(try configuration.keepListeners(of: running) == row.waiting)
        #expect(configuration.listen == running.listen)
        #expect(try configuration.keepListeners(of: running) == [])
    }

    @Test("everything else is the file's, and the arms keep the listeners too")
    func others() throws {
        let running = try Self.read(Self.file(#""gateway": {}"#))
        let file = try Self.read(
            """
            { "version": 1, "listen": { "admin": {} }, "clip": { "maxContextTokens": 7 },
              "upstreams": { "litellm": { "url": "http://b" } },
              "experiments": [{ "name": "e", "arms": [{ "name": "a", "weight": 1 }] }] }
            """
        )
        var expected = file
        expected.listen = running.listen
        expected.experiments[0].arms[0].listen = running.listen

        var configuration = file
        _ = try configuration.keepListeners(of: running)

        #expect(configuration == expected)
    }

    @Test("an upstream is kept while a listener stands before it")
    func upstreamGone() throws {
        let both = #""litellm": { "url": "http://a" }, "dify": { "url": "http://b" }"#
        let running = try Self.read(Self.file(#""gateway": {}, "dify": {}"#, both))
        var configuration = try Self.read(
            Self.file(#""gateway": { "upstream": "c" }"#, #""c": { "kind": "litellm", "url": "http://c" }"#)
        )
        let problems = ["litellm": "gateway", "dify": "dify"].sorted { $0.key > $1.key }
            .map {
                "/upstreams: \"\($0)\" is still used by the running listener \($1); keep it until the restart"
            }

        let error = #expect(throws: ConfigurationError.self) {
            try configuration.keepListeners(of: running)
        }
        #expect(error?.problems.map(\.description) == problems)
    }

    @Test(
        "a credential of ours comes into force with the listener that guards it, not before",
        arguments: [
            ("", #""bearer": "k""#), (#""routes": [{ "name": "a", "chain": ["m@google"] }]"#, ""),
            (
                """
                "experiments": [{ "name": "e", "arms": [{ "name": "a", "weight": 1,
                    "patch": { "routes": [{ "name": "a", "chain": ["m@google"] }] } }] }]
                """, ""
            ),
        ]
    )
    func unguarded(_ row: (rest: String, bearer: String)) throws {
        func file(_ gateway: String, _ bearer: String, _ rest: String) -> String {
            """
            { "version": 1, "listen": { "gateway": { "upstream": "vllm"\(gateway) } },
              "upstreams": { "vllm": { "kind": "openai", "url": "http://a"\(bearer.isEmpty ? "" : ", \(bearer)") },
                  "google": { "kind": "openai", "url": "http://b", "bearer": "k" } }\(rest.isEmpty ? "" : ", \(rest)") }
            """
        }
        let running = try Self.read(file("", "", ""))
        var configuration = try Self.read(file(#", "clientKeys": ["k"]"#, row.bearer, row.rest))

        let error = #expect(throws: ConfigurationError.self) {
            try configuration.keepListeners(of: running)
        }
        let place = row.bearer.isEmpty ? "google" : "vllm"
        #expect(
            error?.description == """
                /upstreams/\(place)/bearer: nobody can be vouched for at the listener gateway as it runs; \
                restart to apply this file
                """
        )
    }
}
