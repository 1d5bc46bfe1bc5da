import Testing

@testable import Sidecar

@Suite("What comes from the environment is never repeated in a problem")
struct ConfigurationSecretTests {
    @Test("wherever it is written", arguments: keyRows.map(\.path))
    func stays(path: String) throws {
        let row = try #require(keyRows.first { $0.path == path })
        for reference in ["${SECRET}", "a ${SECRET} b", "$${SECRET}", "@${SECRET}", "http://${SECRET}@a"] {
            for secret in ["hunter2", "hunter2 \u{1F511}\nhunter2"] {
                let value = row.type.holding(.text(reference))
                let file = Self.place(value, at: row.path.split(separator: ".")[...], in: ["version": 1])

                let text = JSONValue.object(file).written(indented: false)
                let lines = problems(in: text, environment: ["SECRET": secret])

                #expect(!lines.contains { $0.contains("hunter2") })
            }
        }
    }

    @Test("a secret that stands in the file itself is not repeated either")
    func literal() {
        let lines = problems(in: #"{ "version": 1, "listen": { "admin": { "token": ["hunter2"] } } }"#)

        #expect(lines == ["/listen/admin/token: its value is not a string; write it in double quotes"])
    }

    @Test("a file that holds a secret is not quoted, nor is its path")
    func secretFile() {
        let lines = problems(
            in: #"{ "version": 1, "listen": { "admin": { "token": "${TOKEN}" } } }"#,
            environment: ["TOKEN_FILE": "/hunter2"]
        )

        #expect(
            lines == [
                "/listen/admin/token: the file that TOKEN_FILE names cannot be read as text; "
                    + "correct the path or its permissions"
            ]
        )
    }

    /// An object with the value at the end of a path, and nothing else.
    private static func place(
        _ value: JSONValue,
        at path: ArraySlice<Substring>,
        in object: [String: JSONValue]
    ) -> [String: JSONValue] {
        guard let first = path.first else { return object }
        let isList = first.hasSuffix("[]")
        let key = first == "*" ? "litellm" : String(isList ? first.dropLast(2) : first)
        let inner = path.dropFirst().isEmpty ? value : .object(place(value, at: path.dropFirst(), in: [:]))
        return object.merging([key: isList ? .list([inner]) : inner]) { $1 }
    }
}

extension ValueType {
    /// The value where this type wants a scalar, inside a list or map where it wants one.
    fileprivate func holding(_ value: JSONValue) -> JSONValue {
        switch self {
        case .list(let element, _): .list([element.holding(value)])
        case .map(_, let element): ["x": element.holding(value)]
        default: value
        }
    }
}
