import Foundation
import Policies
import Testing

@testable import Sidecar

@Suite("References are replaced by variables")
struct ReferenceTests {
    static let variables = ["A": "1", "EMPTY": "", "NEST": "${A}", "_x9": "y"]

    @Test(
        "a text with references",
        arguments: [
            ("plain", "plain"), ("$requested", "$requested"), ("$A", "$A"), ("{A}", "{A}"), ("", ""),
            ("${A}", "1"), ("a${A}b${_x9}c", "a1byc"), ("$${A}", "$1"),
            ("${A:-2}", "1"), ("${NO:-2}", "2"), ("${EMPTY:-2}", "2"), ("${EMPTY}", ""), ("${NO:-}", ""),
            ("${NO:-${A}}", "1"), ("${NO:-a${NO:-b}c}d", "abcd"), ("${NO:-{x}", "{x"),
            ("${NO:-http://h:1/}", "http://h:1/"),
            ("${NEST}", "${A}"), ("é${A}é", "é1é"),
        ]
    )
    func resolves(_ row: (text: String, expected: String)) throws {
        var environment = EnvironmentVariables(process: Self.variables)

        #expect(try Reference.resolve(row.text, in: &environment) == row.expected)
    }

    @Test(
        "a text that cannot be completed",
        arguments: [
            ("${NO}", .unset("NO")), ("x${A}${NO}", .unset("NO")), ("${NO:-${NO}}", .unset("NO")),
            ("${", .malformed), ("${A", .malformed), ("${}", .malformed), ("${9A}", .malformed),
            ("${A-2}", .malformed),
            ("${A:2}", .malformed), ("${A B}", .malformed), ("${:-x}", .malformed),
        ] as [(String, Reference.Failure)]
    )
    func fails(_ row: (text: String, failure: Reference.Failure)) {
        var environment = EnvironmentVariables(process: Self.variables)

        #expect(throws: row.failure) { try Reference.resolve(row.text, in: &environment) }
    }

    @Test("references that go too deep are an error, not a crash")
    func depth() {
        var environment = EnvironmentVariables(process: [:])
        let text = String(repeating: "${A:-", count: 10_000) + String(repeating: "}", count: 10_000)

        #expect(throws: Reference.Failure.malformed) { try Reference.resolve(text, in: &environment) }
    }

    @Test(
        "a number or switch may come from the environment",
        arguments: [("24000", 24_000), (" 24000", nil), ("x", nil), ("1e999", nil), ("24000.5", nil)]
    )
    func numbers(_ row: (value: String, expected: Int?)) {
        let text = #"{ "version": 1, "clip": { "maxContextTokens": "${N}" } }"#
        let environment = EnvironmentVariables(process: ["N": row.value])

        let configuration = try? Configuration.read(text, from: .embedded, environment: environment)
            .configuration

        #expect(configuration?.policies.clip.maxContextTokens == row.expected)
    }
}

@Suite("Variables come from the environment, from files, and from files of secrets")
final class EnvironmentVariablesTests {
    private let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path()

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    @Test(
        "one line break at the end of a file is not part of the secret",
        arguments: [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("", ""), (" a ", " a ")]
    )
    func lineBreak(_ row: (contents: String, value: String)) throws {
        try row.contents.write(toFile: path, atomically: true, encoding: .utf8)
        var variables = EnvironmentVariables(process: ["A_FILE": path])

        #expect(variables.lookUp("A") == .value(row.value))
        #expect(variables.filesRead == [path])
    }

    @Test("a value comes before its file, a file before an empty value")
    func precedence() throws {
        try "file".write(toFile: path, atomically: true, encoding: .utf8)

        var valued = EnvironmentVariables(process: ["A": "value", "A_FILE": path])
        #expect(valued.lookUp("A") == .value("value"))
        #expect(valued.filesRead.isEmpty)

        var empty = EnvironmentVariables(process: ["A": "", "A_FILE": path])
        #expect(empty.lookUp("A") == .value("file"))
    }

    @Test("what the process knows hides the file of variables")
    func layers() {
        var variables = EnvironmentVariables(
            process: ["A": "", "B": "p"],
            file: ["A": "f", "B": "f", "C": "f"]
        )

        #expect(variables.lookUp("A") == .value(""))
        #expect(variables.lookUp("B") == .value("p"))
        #expect(variables.lookUp("C") == .value("f"))
        #expect(variables.lookUp("D") == .unset)
    }

    @Test("a file that is missing or no text is not an empty secret")
    func unreadable() throws {
        var missing = EnvironmentVariables(process: ["A_FILE": path])
        #expect(missing.lookUp("A") == .unreadable)
        #expect(missing.filesRead == [path], "a watcher must see it appear")

        try Data([0xFF]).write(to: URL(filePath: path))
        var noText = EnvironmentVariables(process: ["A_FILE": path])
        #expect(noText.lookUp("A") == .unreadable)
    }

    @Test("a file that changes meanwhile is one secret, not two")
    func readOnce() throws {
        try "old".write(toFile: path, atomically: true, encoding: .utf8)
        var variables = EnvironmentVariables(process: ["A_FILE": path, "B_FILE": path])
        try #require(variables.lookUp("A") == .value("old"))

        try "new".write(toFile: path, atomically: true, encoding: .utf8)

        #expect(variables.lookUp("A") == .value("old"))
        #expect(variables.lookUp("B") == .value("old"))
    }

    @Test(
        "a line of a file of variables",
        arguments: [
            ("A=1", "1"), ("export A=1", "1"), (" A = 1 ", "1"), ("A=", ""), ("A=x=y", "x=y"),
            ("\u{FEFF}A=1", "1"),
            ("A=a b # note", "a b"), ("A=a#b", "a#b"), ("A='a # b'", "a # b"), ("A='a\\n'", "a\\n"),
            (#"A="a\n\"b\"\\\x""#, "a\n\"b\"\\\\x"), (#"A="a" # note"#, "a"), ("A=1\nA=2", "2"),
            ("A=1\r\n", "1"),
            ("# note\n\nA=1", "1"), ("A=${B}", "${B}"),
        ]
    )
    func line(_ row: (text: String, value: String)) throws {
        #expect(try EnvironmentFile.variables(in: row.text, path: ".env") == ["A": row.value])
    }

    @Test("every line that is not understood is told, without what it holds")
    func badLines() throws {
        let problem = "not KEY=VALUE; write one variable a line, quotes closed"
        let expected = try #require(ConfigurationError([1, 3, 4, 5, 6].map { .init(".env:\($0)", problem) }))

        #expect(throws: expected) {
            try EnvironmentFile.variables(in: "hunter2\nA=1\n1A=2\n=3\nB='x\nC='x'y", path: ".env")
        }
    }
}
