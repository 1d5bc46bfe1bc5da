import Foundation
import TestSupport
import Testing
import TokenCount

@Suite("Tokens are those of the reference implementation")
struct ConformanceTests {
    struct Row: Decodable {
        var id: Int
        /// Only in the file of `o200k_base`; all encodings have the same texts.
        var text: String?
        var ids: [Int]
    }

    static let texts: [Int: String] = {
        let known = (try? rows(of: .o200kBase)) ?? []
        return Dictionary(uniqueKeysWithValues: known.map { ($0.id, $0.text ?? "") })
    }()

    @Test("every recorded row", arguments: Encoding.all)
    func rows(encoding: Encoding) throws {
        let counter = TokenCounter(encoding)
        let rows = try Self.rows(of: encoding)

        let wrong = try rows.filter { row in
            let text = try #require(row.text ?? Self.texts[row.id])
            return counter.encode(text) != row.ids || counter.count(text) != row.ids.count
        }

        #expect(rows.count == 5_676)
        #expect(wrong.isEmpty, "\(wrong.prefix(5).map { "\($0.id) \(Self.texts[$0.id].debugDescription)" })")
    }

    private static func rows(of encoding: Encoding) throws -> [Row] {
        let unzip = Process()
        unzip.executableURL = URL(filePath: "/usr/bin/env")
        let file = Fixtures.repository.appending(path: "Tests/Fixtures/tokens/\(encoding.name).jsonl.gz")
        unzip.arguments = ["gzip", "-dc", file.path()]
        let output = Pipe()
        unzip.standardOutput = output
        try unzip.run()
        let lines = try #require(try output.fileHandleForReading.readToEnd())
        unzip.waitUntilExit()
        let decoder = JSONDecoder()
        return try lines.split(separator: UInt8(ascii: "\n")).map { try decoder.decode(Row.self, from: $0) }
    }
}
