import Testing

@testable import Sidecar

/// The lines that a file's problems make; empty for a good one.
func problems(in text: String, environment: [String: String] = [:]) -> [String] {
    do throws(ConfigurationError) {
        _ = try Configuration.read(
            text,
            from: .embedded,
            environment: EnvironmentVariables(process: environment)
        )
        return []
    } catch {
        return error.description.split(separator: "\n").map(String.init)
    }
}

@Suite("A bad configuration is told everything that is wrong with it")
struct ConfigurationProblemTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        /// What stands after `"version": 1`.
        var file: String
        var environment: [String: String] = [:]
        var problems: [String]

        var testDescription: String { when }
    }

    static let keys = [
        Row(
            when: "a key is misspelt",
            file: #""clip": { "maxContextToken": 1 }"#,
            problems: ["/clip/maxContextToken: unknown key; did you mean maxContextTokens?"]
        ),
        Row(
            when: "a key is in the wrong section",
            file: #""failuresToOpen": 3"#,
            problems: ["/failuresToOpen: unknown key here; did you mean breaker.failuresToOpen?"]
        ),
        Row(
            when: "a key is like no other",
            file: #""stream": { "zzz/~": 1 }"#,
            problems: ["/stream/zzz~1~0: unknown key; remove it, or write one of onCut"]
        ),
        Row(
            when: "a key would break the line",
            file: #""stream": { "a\nb: c": 1 }"#,
            problems: ["/stream/a\\u{0A}b: c: unknown key; remove it, or write one of onCut"]
                .map { $0.replacing("\\u{0A}", with: "\\n") }
        ),
        Row(
            when: "a required key is missing",
            file: #""upstreams": { "litellm": {} }, "routes": [{ "name": "a" }]"#,
            problems: [
                #"/upstreams/litellm/url: missing; write it, such as "http://127.0.0.1:4000""#,
                #"/routes/0/chain: missing; write it, such as ["$requested","gemini-3-pro"]"#,
            ]
        ),
        Row(
            when: "many things are wrong, each is told in the order of the table",
            file: #""log": { "level": 3 }, "clip": null, "breaker": { "failuresToOpen": 0 }, "x": 1"#,
            problems: [
                "/clip: null is not an object; write { … }",
                "/breaker/failuresToOpen: 0 is outside 1...1000",
                "/log/level: 3 is not a string; write one of debug, info, warning, error",
                "/x: unknown key; remove it, or write one of \(KeyNode.root.children.map(\.name).joined(separator: ", "))",
            ]
        ),
    ]

    static let values = [
        Row(
            when: "a number is a string",
            file: #""clip": { "maxContextTokens": "32k" }"#,
            problems: [#"/clip/maxContextTokens: "32k" is not an integer; write one from 1 to 100000000"#]
        ),
        Row(
            when: "an integer has a fraction",
            file: #""breaker": { "rateLimitsToOpen": 1.5 }"#,
            problems: ["/breaker/rateLimitsToOpen: 1.5 is not an integer; write one from 1 to 1000"]
        ),
        Row(
            when: "a duration is negative",
            file: #""timeouts": { "idleSeconds": -1 }"#,
            problems: ["/timeouts/idleSeconds: -1 is outside 0.001...86400"]
        ),
        Row(
            when: "a duration of the fallback is out of its range",
            file: #""fallback": { "stickySeconds": 604801, "patienceSeconds": 601 }"#,
            problems: [
                "/fallback/stickySeconds: 604801 is outside 0...604800",
                "/fallback/patienceSeconds: 601 is outside 0...600",
            ]
        ),
        Row(
            when: "a switch is a word",
            file: #""routes": [{ "name": "a", "when": { "task": "yes" }, "chain": ["m"] }]"#,
            problems: [#"/routes/0/when/task: "yes" is not a switch; write true or false"#]
        ),
        Row(
            when: "a word is not of the set",
            file: #""clip": { "on": "sometimes" }, "fallback": { "on": ["timeout", "refused"] }"#,
            problems: [
                "/fallback/on/1: \"refused\" is not known; write one of rate_limited, quota_exhausted, overloaded, "
                    + "upstream_fault, timeout, unreachable, context_exceeded, too_large, region_blocked, auth",
                #"/clip/on: "sometimes" is not known; write one of fallback, always, never"#,
            ]
        ),
        Row(
            when: "an address is none",
            file: #""listen": { "gateway": { "address": "4100" }, "admin": { "address": "::1:4190" } }"#,
            problems: [
                "/listen/gateway/address: not host:port; write one such as 0.0.0.0:4100 or [::1]:4100",
                "/listen/admin/address: not host:port; write one such as 0.0.0.0:4100 or [::1]:4100",
            ]
        ),
        Row(
            when: "a URL carries a password",
            file: #""upstreams": { "litellm": { "url": "http://me:hunter2@a" } }"#,
            problems: ["/upstreams/litellm/url: carries a user or password; leave out what stands before @"]
        ),
        Row(
            when: "a name cannot be a label",
            file: #""routes": [{ "name": "a b", "chain": ["m"] }]"#,
            problems: [
                "/routes/0/name: not a name; write letters, digits, '.', '_' and '-', 64 at most, "
                    + "a letter or digit first"
            ]
        ),
        Row(
            when: "lists and strings are empty",
            file: #""routes": [{ "name": "a", "chain": [] }, { "name": "b", "chain": [""] }]"#,
            problems: [
                #"/routes/0/chain: empty; name at least one, such as ["$requested","gemini-3-pro"]"#,
                "/routes/1/chain/0: empty; write something or remove it",
            ]
        ),
        Row(
            when: "a token cannot be sent",
            file: #""listen": { "admin": { "token": "two words" } }"#,
            problems: [
                "/listen/admin/token: cannot stand in a header; write visible ASCII characters without spaces"
            ]
        ),
    ]

    static let together = [
        Row(
            when: "an upstream does not exist",
            file: #""listen": { "gateway": { "upstream": "lite" } }"#,
            problems: [
                #"/listen/gateway/upstream: "lite" is not an upstream; write one of litellm, or list it under upstreams"#
            ]
        ),
        Row(
            when: "an upstream's kind is nowhere",
            file:
                #""listen": { "gateway": { "upstream": "b" } }, "upstreams": { "b": { "url": "http://b" } }"#,
            problems: [
                "/upstreams/b/kind: missing, and the name does not tell it; write one of litellm, dify, openai"
            ]
        ),
        Row(
            when: "a LiteLLM's URL repeats what clients send",
            file: #""upstreams": { "litellm": { "url": "http://b/v1/" } }"#,
            problems: ["/upstreams/litellm/url: ends in /v1, which clients send themselves; leave /v1 out"]
        ),
        Row(
            when: "the admin listener is open and unguarded",
            file: #""listen": { "gateway": {}, "admin": { "address": "0.0.0.0:4190" } }"#,
            problems: [
                "/listen/admin/token: missing, and the address is open to other machines; write a token, or listen "
                    + "on 127.0.0.1"
            ]
        ),
        Row(
            when: "two listeners want one port",
            file: #""listen": { "gateway": {}, "admin": { "address": "127.0.0.1:4100" } }"#,
            problems: ["/listen/admin/address: the same port as /listen/gateway/address; write another one"]
        ),
        Row(
            when: "nothing listens",
            file: #""listen": {}"#,
            problems: ["/listen: names no listener; write gateway, dify, egress or admin"]
        ),
        Row(
            when: "routes share a name",
            file: #""routes": [{ "name": "a", "chain": ["m"] }, { "name": "a", "chain": ["n"] }]"#,
            problems: ["/routes/1/name: already the name of entry 0; write another one"]
        ),
        Row(
            when: "a chain is misspelt",
            file: #""routes": [{ "name": "a", "chain": ["$request", "@litellm", "m@elsewhere"] }]"#,
            problems: [
                #"/routes/0/chain/0: "$request" is not known; write $requested, or the name of a model"#,
                "/routes/0/chain/1: names no model before @; write model@litellm",
            ]
        ),
        Row(
            when: "a condition cannot hold",
            file: #""routes": [{ "name": "a", "chain": ["m"], "when": { "minTokens": 2, "maxTokens": 1 } }]"#,
            problems: ["/routes/0/when/minTokens: more than maxTokens (1); no request can match: write less"]
        ),
        Row(
            when: "patience outlasts the request",
            file: #""fallback": { "patienceSeconds": 5 }, "timeouts": { "totalSeconds": 5 }"#,
            problems: [
                "/fallback/patienceSeconds: not less than timeouts.totalSeconds (5); write less, or raise that"
            ]
        ),
        Row(
            when: "a header is named twice",
            file:
                #""routes": [{ "name": "a", "chain": ["m"], "when": { "header": { "X": "a", "x": "b" } } }]"#,
            problems: ["/routes/0/when/header/x: named twice in different case; remove one"]
        ),
        Row(
            when: "limits contradict each other",
            file: """
                "breaker": { "cooldownSeconds": 31 }, "limits": { "maxBufferedBytes": 1000, "maxBodyBytes": 1001 },
                "clip": { "maxContextTokens": 500, "reserveOutputTokens": 500 }
                """,
            problems: [
                "/clip/reserveOutputTokens: leaves nothing of maxContextTokens (500); write less, or raise that",
                "/breaker/cooldownSeconds: more than maxCooldownSeconds (30); write less, or raise that",
                "/limits/maxBodyBytes: more than maxBufferedBytes (1000); one body must fit: write less, or raise that",
            ]
        ),
        Row(
            when: "a wrong entry is skipped, its neighbours keep their places",
            file: #""routes": [3, { "name": "a", "chain": [7, "$x"] }]"#,
            problems: [
                "/routes/0: 3 is not an object; write { … }",
                "/routes/1/chain/0: 7 is not a string; write it in double quotes",
                #"/routes/1/chain/1: "$x" is not known; write $requested, or the name of a model"#,
            ]
        ),
    ]

    @Test("a bad key", arguments: keys)
    func key(_ row: Row) {
        #expect(problems(in: "{ \"version\": 1, \(row.file) }", environment: row.environment) == row.problems)
    }

    @Test("a bad value", arguments: values)
    func value(_ row: Row) {
        #expect(problems(in: "{ \"version\": 1, \(row.file) }", environment: row.environment) == row.problems)
    }

    @Test("keys that do not go together", arguments: together)
    func crossed(_ row: Row) {
        #expect(problems(in: "{ \"version\": 1, \(row.file) }", environment: row.environment) == row.problems)
    }

    @Test(
        "what this version cannot do is named and refused",
        arguments: [
            (
                "/upstreams/litellm/apps",
                #""upstreams": { "litellm": { "url": "http://a", "apps": { "b": {} } } }"#
            ),
            ("/log/bodies", #""log": { "bodies": true }"#),
        ]
    )
    func later(_ row: (place: String, file: String)) {
        #expect(
            problems(in: "{ \"version\": 1, \(row.file) }")
                == ["\(row.place): not available in this version; remove it"]
        )
    }

    @Test(
        "what this version cannot do may be spelled out as not wanted",
        arguments: [
            #""egress": {}, "log": { "bodies": false }"#,
            #""upstreams": { "litellm": { "url": "http://a", "apps": {}, "egress": "${B:-}" } }"#,
        ]
    )
    func notWanted(_ file: String) {
        #expect(problems(in: "{ \"version\": 1, \(file) }") == [])
    }

    @Test(
        "what is not JSON is one problem, with its place",
        arguments: [
            ("", 1, 1, "a value"), ("{\n", 2, 1, "a key in double quotes"),
            ("{ 'version': 1 }", 1, 3, "a key in double quotes"),
            ("// note\n{}", 1, 1, "a value"), ("{ \"version\": 1 } x", 1, 18, "nothing more"),
            ("{ \"é\": 1\n  \"b\": 2 }", 2, 3, "a comma or }"), ("{\"a\": [1 2]}", 1, 10, "a comma or ]"),
            ("{ \"a\" 1 }", 1, 7, "a colon"), ("{ \"a\": }", 1, 8, "a value"),
            ("{ \"a\": tru }", 1, 8, "a value"),
            ("{ \"a\": +1 }", 1, 8, "a value"), ("{ \"a\": \"b\n\" }", 1, 10, "a closing quote"),
            ("{ \"a\": \"\\x\" }", 1, 10, #"one of " \ / b f n r t u"#),
            (String(repeating: "[", count: 100_000), 1, 65, "fewer levels"),
        ]
    )
    func notJSON(_ row: (text: String, line: Int, column: Int, wanted: String)) {
        #expect(
            problems(in: row.text)
                == ["/: not valid JSON at line \(row.line), column \(row.column); expected \(row.wanted)"]
        )
    }

    @Test("a fault that is none of grammar has no place", arguments: ["\"\\ud800\"", "1e999"])
    func notJSONWithoutPlace(_ text: String) {
        let problem = "/: not valid JSON; look for a number out of range or a broken \\u escape"

        #expect(problems(in: "{ \"version\": \(text) }") == [problem])
    }

    @Test(
        "a document that is no object is told so",
        arguments: [("[]", "a list"), ("null", "null"), ("7", "7")]
    )
    func notAnObject(_ row: (text: String, what: String)) {
        #expect(
            problems(in: row.text) == [
                "/: \(row.what) is not an object; write { … }", "/version: missing; write it, such as 1",
            ]
        )
    }
}
