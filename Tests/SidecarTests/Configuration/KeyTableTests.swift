import Testing

@testable import Sidecar

@Suite("The table of keys is complete and can be read")
struct KeyTableTests {
    @Test("no key is listed twice, and each hangs on one that is listed")
    func tree() {
        let paths = keyRows.map { $0.keys.map(String.init) }

        #expect(Set(paths).count == paths.count)
        for path in paths where path.count > 1 {
            #expect(paths.contains(Array(path.dropLast())), "\(path)")
        }
    }

    @Test("every key is a sentence or more", arguments: keyRows.map(\.path))
    func documented(path: String) throws {
        let row = try #require(keyRows.first { $0.path == path })

        #expect(row.doc.hasSuffix("."))
        #expect(row.presence != .required || row.example != nil, "a problem needs an example to show")
    }

    @Test("the Markdown table has a line of four columns for every key")
    func markdown() {
        let lines = ReferenceTable.text.split(separator: "\n")

        #expect(lines.count == keyRows.count + 2)
        for line in lines {
            #expect(line.split(separator: "|", omittingEmptySubsequences: false).count == 6, "\(line)")
        }
        #expect(
            lines.contains(
                "| `breaker.failuresToOpen` | integer 1…1000 | `5` | Other failures in a row that open it. |"
            )
        )
    }

    @Test(
        "the nearest key is one that is near",
        arguments: [
            ("adress", "address"), ("ADDRESS", "address"), ("toke", "token"), ("upstreem", "upstream"),
            ("x", nil),
            ("zzzzzzzz", nil), ("", nil), (String(repeating: "a", count: 100_000), nil),
        ]
    )
    func nearest(_ row: (key: String, nearest: String?)) {
        #expect(NearestKey.to(row.key, among: ["address", "token", "upstream", "on"]) == row.nearest)
    }
}
