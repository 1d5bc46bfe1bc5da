import Foundation
import Policies
import TestSupport
import Testing

@testable import Sidecar

@Suite("The arms of an experiment are the file with a patch")
struct ExperimentConfigurationTests {
    private static func load(_ text: String, _ environment: [String: String] = [:]) throws
        -> LoadedConfiguration
    {
        try Configuration.read(text, from: .embedded, environment: EnvironmentVariables(process: environment))
    }

    private static func read(_ text: String, _ environment: [String: String] = [:]) throws -> Configuration {
        try load(text, environment).configuration
    }

    /// The keys of a file whose one experiment has an arm with this patch.
    private static func keys(_ patch: String) -> String {
        """
        "clip": { "maxContextTokens": 30000, "pin": ["a", "b"] }, "breaker": { "failuresToOpen": 7 },
        "routes": [{ "name": "r", "chain": ["m", "n"] }],
        "experiments": [{ "name": "e", "arms": [
            { "name": "control", "weight": 1 }, { "name": "other", "weight": 1, "patch": \(patch) }] }]
        """
    }

    private static func file(_ patch: String) -> String {
        "{ \"version\": 1, \(keys(patch)) }"
    }

    @Test("an experiment is what the file says")
    func experiment() throws {
        let file = """
            { "version": 1, "experiments": [
              { "name": "first", "by": "user", "when": { "model": ["claude*"], "header": { "X-Team": "a" } },
                "arms": [{ "name": "a", "weight": "${W}" }, { "name": "b", "weight": 0 }] },
              { "name": "second", "arms": [{ "name": "a", "weight": 1000000 }] }] }
            """

        let experiments = try Self.read(file, ["W": "3"]).experiments.map(\.experiment)

        #expect(
            experiments == [
                Experiment(
                    name: "first",
                    by: .user,
                    when: Condition(model: [Glob("claude*")], header: ["x-team": Glob("a")]),
                    arms: [.init(name: "a", weight: 3), .init(name: "b", weight: 0)]
                ),
                Experiment(name: "second", by: .conversation, arms: [.init(name: "a", weight: 1_000_000)]),
            ]
        )
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var patch: String
        /// The same change, made to the settings.
        var change: @Sendable (inout Configuration) -> Void

        init(_ patch: String, _ change: @escaping @Sendable (inout Configuration) -> Void) {
            self.patch = patch
            self.change = change
        }

        var testDescription: String { patch }
    }

    static let rows = [
        Row("{}") { _ in },
        Row(#"{ "clip": { "maxContextTokens": 24000 } }"#) { $0.policies.clip.maxContextTokens = 24_000 },
        Row(#"{ "clip": { "maxContextTokens": "${N}" } }"#) { $0.policies.clip.maxContextTokens = 24_000 },
        Row(#"{ "clip": { "maxContextTokens": null } }"#) { $0.policies.clip.maxContextTokens = 32_000 },
        Row(#"{ "clip": { "pin": ["c"] } }"#) { $0.policies.clip.pin = ["c"] },
        Row(#"{ "clip": null }"#) { $0.policies.clip = ClipSettings() },
        Row(#"{ "routes": [{ "name": "s", "chain": ["$requested"] }] }"#) {
            $0.policies.routes = [Route(name: "s", when: Condition(), chain: [.requested])]
        },
        Row(#"{ "models": [{ "match": ["a"] }] }"#) {
            $0.policies.models = [ModelRule(match: [Glob("a")])]
        },
        Row(#"{ "fallback": { "stickySeconds": 0 } }"#) { $0.policies.fallback.sticky = .zero },
        Row(#"{ "timeouts": { "idleSeconds": 1 } }"#) { $0.timeouts.idle = .seconds(1) },
        Row(#"{ "stream": { "onCut": "error" } }"#) { _ in },
        Row(#"{ "stream": { "onCut": "resume" } }"#) { $0.stream.onCut = .resume },
    ]

    @Test("a patch changes what it names, and the control arm nothing", arguments: rows)
    func patches(_ row: Row) throws {
        let base = try Self.read(Self.file(row.patch), ["N": "24000"])
        let arms = base.experiments[0].arms
        var control = base
        control.experiments = []
        control.hash = arms[0].hash
        var other = control
        row.change(&other)
        other.hash = arms[1].hash

        #expect(arms == [control, other])
    }

    @Test("an arm is what its file would be on its own", arguments: 0..<200)
    func standsAlone(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let patch = Self.patch(using: &random)
        let file = Self.file(patch.written(indented: false))
        let document = try JSONDecoder().decode(JSONValue.self, from: Data(file.utf8))
        let alone = document.merging(patch: ["experiments": .null]).merging(patch: patch)

        let wrong = problems(in: alone.written(indented: false))
        #expect(problems(in: file).count == wrong.count, "\(patch)")
        guard wrong.isEmpty else { return }
        #expect(try Self.read(file).experiments[0].arms[1] == Self.read(alone.written(indented: false)))
    }

    /// Some changes, most of them good.
    private static func patch(using random: inout SplitMix) -> JSONValue {
        let choices: [(section: String, key: String, values: [JSONValue])] = [
            ("clip", "maxContextTokens", [1, 500, 24_000, .null, 0, "x"]),
            ("clip", "reserveOutputTokens", [0, 400, .null, 30_000]),
            ("clip", "pin", [[], ["x"], [""], .null]),
            ("fallback", "on", [["timeout"], [], .null, ["refused"]]),
            ("fallback", "patienceSeconds", [0, 9, .null, 601]),
            ("timeouts", "totalSeconds", [1, 60, .null, -1]),
            ("stream", "onCut", ["error", .null, "resume"]),
        ]
        var sections: [String: JSONValue] = [:]
        for choice in choices where Bool.random(using: &random) {
            let value = choice.values.randomElement(using: &random) ?? .null
            sections[choice.section] = (sections[choice.section] ?? [:]).setting(choice.key, to: value)
        }
        return .object(sections)
    }

    @Test("arms differ from the file in nothing that all requests share", arguments: ["a", "b"])
    func shared(token: String) throws {
        let base = try Self.read(
            """
            { "version": 1, "listen": { "admin": { "address": "0.0.0.0:1", "token": "${T}" }, "gateway": {} },
              "limits": { "maxBodyBytes": 9 }, "log": { "level": "error" }, \(Self.keys(#"{ "clip": null }"#)) }
            """,
            ["T": token]
        )

        for arm in base.experiments[0].arms {
            #expect(arm.listen == base.listen)
            #expect(arm.upstreams == base.upstreams)
            #expect(arm.policies.breaker == base.policies.breaker)
            #expect(arm.limits == base.limits)
            #expect(arm.log == base.log)
            #expect(arm.experiments == [])
        }
    }

    @Test("the hash counts what the arms do, not how it is written")
    func hash() throws {
        func hash(_ patch: String, _ environment: [String: String] = [:]) throws -> String {
            try Self.read(Self.file(patch), environment).hash
        }

        let same = try hash("{}")
        #expect(same.utf8.count == 16)
        #expect(try hash(#"{ "clip": { "maxContextTokens": 3e4 } }"#) == same)
        #expect(try hash(#"{ "clip": { "maxContextTokens": "${N}" } }"#, ["N": "30000"]) == same)
        #expect(try hash(#"{ "clip": { "maxContextTokens": "${N}" } }"#, ["N": "30001"]) != same)
        #expect(try hash(#"{ "clip": { "maxContextTokens": 30001 } }"#) != same)
        #expect(
            try hash(#"{ "clip": null }"#, ["SIDECAR_ADMIN_TOKEN": "a"])
                == hash(#"{ "clip": null }"#, ["SIDECAR_ADMIN_TOKEN": "b"])
        )
    }

    @Test("a file that only a patch refers to is reported for watching")
    func includedFiles() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path()
        try "24000\n".write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }

        let loaded = try Self.load(
            Self.file(#"{ "clip": { "maxContextTokens": "${N}" } }"#),
            ["N_FILE": path]
        )

        #expect(loaded.configuration.experiments[0].arms[1].policies.clip.maxContextTokens == 24_000)
        #expect(loaded.includedFiles == [path])
    }
}

extension JSONValue {
    /// The object with one more key.
    fileprivate func setting(_ key: String, to value: JSONValue) -> JSONValue {
        guard case .object(let keys) = self else { return self }
        return .object(keys.merging([key: value]) { $1 })
    }
}
