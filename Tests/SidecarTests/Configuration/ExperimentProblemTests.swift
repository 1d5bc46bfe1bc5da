import Testing

@testable import Sidecar

@Suite("What is wrong with an experiment is told where it stands")
struct ExperimentProblemTests {
    static func experiment(_ arms: String, _ more: String = "") -> String {
        "\"experiments\": [{ \"name\": \"e\", \(more)\"arms\": \(arms) }]"
    }

    private static let others =
        "the same for every arm; remove it: a patch may change models, routes, fallback, clip, timeouts, stream, media"
    private static let notAName =
        "not a name; write letters, digits, '.', '_' and '-', 64 at most, a letter or digit first"

    @Test(
        "a bad experiment",
        arguments: [
            (
                #""experiments": [{}]"#,
                [
                    #"/experiments/0/name: missing; write it, such as "clip-24k""#,
                    #"/experiments/0/arms: missing; write it, such as [{"name":"control","weight":50}]"#,
                ]
            ),
            (
                experiment("[]"),
                [
                    #"/experiments/0/arms: empty; name at least one, such as [{"name":"control","weight":50}]"#
                ]
            ),
            (
                experiment(#"[{ "name": "a", "weight": 0 }, { "name": "b", "weight": 0 }]"#),
                ["/experiments/0/arms: every weight is 0, so no request can take part; raise one"]
            ),
            (
                experiment(
                    #"[{ "name": "a", "weight": -1 }, { "name": "b", "weight": 1000001 }, { "name": "c" }]"#
                ),
                [
                    "/experiments/0/arms/0/weight: -1 is outside 0...1000000",
                    "/experiments/0/arms/1/weight: 1000001 is outside 0...1000000",
                    "/experiments/0/arms/2/weight: missing; write it, such as 50",
                ]
            ),
            (
                experiment(#"[{ "name": "a", "weight": 1.5 }]"#),
                ["/experiments/0/arms/0/weight: 1.5 is not an integer; write one from 0 to 1000000"]
            ),
            (
                experiment(
                    #"[{ "name": "a", "weight": 1 }, { "name": "b", "weight": 1 }, { "name": "a", "weight": 1 }]"#
                ),
                ["/experiments/0/arms/2/name: already the name of entry 0; write another one"]
            ),
            (
                """
                "experiments": [{ "name": "e", "arms": [{ "name": "a", "weight": 1 }] },
                                { "name": "e", "arms": [{ "name": "a", "weight": 1 }] }]
                """, ["/experiments/1/name: already the name of entry 0; write another one"]
            ),
            (
                experiment(#"[{ "name": "a", "weight": 1 }]"#, #""by": "moon", "#),
                [
                    #"/experiments/0/by: "moon" is not known; write one of conversation, user, request"#
                ]
            ),
            (
                experiment(
                    #"[{ "name": "a", "weight": 1 }]"#,
                    #""when": { "minTokens": 2, "maxTokens": 1, "modl": [] }, "#
                ),
                [
                    "/experiments/0/when/modl: unknown key; did you mean model?",
                    "/experiments/0/when/minTokens: more than maxTokens (1); no request can match: write less",
                ]
            ),
            (
                experiment(#"[{ "name": "a", "weight": 1 }]"#, #""when": { "task": true }, "#),
                [
                    "/experiments/0/when/task: tasks belong to no conversation; draw the arm by user or request"
                ]
            ),
            (
                experiment(#"[{ "name": "a", "weight": 1, "patch": null }]"#),
                ["/experiments/0/arms/0/patch: null is not an object; write { … }"]
            ),
        ] as [(String, [String])]
    )
    func experiments(_ row: (file: String, problems: [String])) {
        #expect(problems(in: "{ \"version\": 1, \(row.file) }") == row.problems)
    }

    @Test(
        "a name that cannot be a label or stand in a header",
        arguments: ["", "a b", "a;b", "a=b", "a,b", "é", "a\\n", "-a", String(repeating: "a", count: 65)]
    )
    func names(_ name: String) {
        let file = """
            { "version": 1, "experiments": [{ "name": "\(name)", "arms": [{ "name": "\(name)", "weight": 1 }] }] }
            """

        #expect(
            problems(in: file)
                == ["/experiments/0/name: ", "/experiments/0/arms/0/name: "].map { $0 + Self.notAName }
        )
    }

    @Test(
        "a patch may not touch what all requests share",
        arguments: [
            "$schema", "version", "listen", "upstreams", "experiments", "breaker", "egress", "limits", "log",
        ],
        ["null", "{}", #"{ "token": "hunter2" }"#]
    )
    func fixed(key: String, value: String) {
        let file = Self.experiment(#"[{ "name": "a", "weight": 1, "patch": { "\#(key)": \#(value) } }]"#)

        #expect(
            problems(in: "{ \"version\": 1, \(file) }")
                == ["/experiments/0/arms/0/patch/\(key): \(Self.others)"]
        )
    }

    private static let at = "/experiments/0/arms/1/patch"

    @Test(
        "what is wrong with a patch is told at the patch",
        arguments: [
            (
                #"{ "clip": { "maxContextTokens": 0 } }"#,
                ["\(at)/clip/maxContextTokens: 0 is outside 1...100000000"]
            ),
            (
                #"{ "clip": { "maxContextToken": 1 }, "clp": {} }"#,
                [
                    "\(at)/clip/maxContextToken: unknown key; did you mean maxContextTokens?",
                    "\(at)/clp: unknown key; did you mean clip?",
                ]
            ),
            (
                #"{ "clip": { "maxContextToken": null }, "failuresToOpen": null }"#,
                [
                    "\(at)/clip/maxContextToken: unknown key; did you mean maxContextTokens?",
                    "\(at)/failuresToOpen: unknown key here; did you mean breaker.failuresToOpen?",
                ]
            ),
            (
                #"{ "zzzzzzzz": 1 }"#,
                [
                    "\(at)/zzzzzzzz: unknown key; remove it, or write one of models, routes, fallback, clip, "
                        + "timeouts, stream, media"
                ]
            ),
            (#"{ "clip": 3 }"#, ["\(at)/clip: 3 is not an object; write { … }"]),
            (
                #"{ "routes": [{ "name": "x" }, { "name": "x", "chain": ["$x"] }] }"#,
                [
                    #"\#(at)/routes/0/chain: missing; write it, such as ["$requested","gemini-3-pro"]"#,
                    "\(at)/routes/1/name: already the name of entry 0; write another one",
                    #"\#(at)/routes/1/chain/0: "$x" is not known; write $requested, or the name of a model"#,
                ]
            ),
            (#"{ "routes": [null] }"#, ["\(at)/routes/0: null is not an object; write { … }"]),
            (
                #"{ "media": { "store": { "kind": "s3" } } }"#,
                [
                    "\(at)/media/store: \(others)",
                    "\(at)/media: there is no store to share; name media in the file itself",
                ]
            ),
            (
                #"{ "media": { "minBytes": 1 } }"#,
                ["\(at)/media: there is no store to share; name media in the file itself"]
            ),
            (
                #"{ "models": [{ "match": ["a"], "prefill": 1 }] }"#,
                ["\(at)/models/0/prefill: 1 is not a switch; write true or false"]
            ),
            (
                #"{ "clip": { "on": "${NO}" }, "stream": { "onCut": "${SECRET}" } }"#,
                [
                    "\(at)/clip/on: ${NO} is not set; set NO or NO_FILE, or write ${NO:-default}",
                    "\(at)/stream/onCut: its value is not known; write one of error, resume",
                ]
            ),
            (
                #"{ "clip": { "maxContextTokens": 500 } }"#,
                [
                    "\(at)/clip: makes /clip/reserveOutputTokens wrong: leaves nothing of maxContextTokens (500); "
                        + "write less, or raise that"
                ]
            ),
            (
                #"{ "timeouts": { "totalSeconds": 3 } }"#,
                [
                    "\(at): makes /fallback/patienceSeconds wrong: not less than timeouts.totalSeconds (3); "
                        + "write less, or raise that"
                ]
            ),
        ] as [(String, [String])]
    )
    func patches(_ row: (patch: String, problems: [String])) {
        let arms = #"[{ "name": "a", "weight": 1 }, { "name": "b", "weight": 1, "patch": \#(row.patch) }]"#
        let file = """
            { "version": 1, "clip": { "reserveOutputTokens": 500 }, "fallback": { "patienceSeconds": 3 },
              \(Self.experiment(arms)) }
            """

        #expect(problems(in: file, environment: ["SECRET": "hunter2"]) == row.problems)
    }

    @Test("what is wrong with the file is told once, and again only where a patch repeats it")
    func told() {
        let arms = """
            [{ "name": "a", "weight": 1 }, { "name": "b", "weight": 1, "patch": { "clip": { "pin": [] } } },
             { "name": "c", "weight": 1, "patch": { "clip": { "blockTokens": -1 } } }]
            """
        let file = """
            { "version": 1, "clip": { "blockTokens": -1, "x": 1 }, "log": { "level": "${NO}" },
              "limits": { "maxBodyBytes": 2, "maxBufferedBytes": 1 }, \(Self.experiment(arms)) }
            """

        #expect(
            problems(in: file) == [
                "/clip/blockTokens: -1 is outside 0...100000000",
                "/clip/x: unknown key; remove it, or write one of maxContextTokens, on, blockTokens, "
                    + "reserveOutputTokens, oversized, pin",
                "/log/level: ${NO} is not set; set NO or NO_FILE, or write ${NO:-default}",
                "/limits/maxBodyBytes: more than maxBufferedBytes (1); one body must fit: write less, or raise that",
                "/experiments/0/arms/2/patch/clip/blockTokens: -1 is outside 0...100000000",
            ]
        )
    }
}
