import Foundation
import Telemetry
import TestSupport
import Testing

@testable import Sidecar

@Suite("README says what the program says")
struct ReadmeTests {
    private func readme() throws -> String {
        try String(contentsOf: Fixtures.repository.appending(path: "README.md"), encoding: .utf8)
    }

    /// The lines between `<!-- name:begin -->` and `<!-- name:end -->`.
    private func section(_ name: String) throws -> String {
        let parts = try readme().components(separatedBy: "<!-- \(name):begin -->\n")
        try #require(parts.count == 2, "\(name) begins once")
        let ends = parts[1].components(separatedBy: "<!-- \(name):end -->\n")
        try #require(ends.count == 2, "\(name) ends once")
        return ends[0]
    }

    @Test("the table of keys is the one that `sidecar generate table` prints")
    func configuration() throws {
        #expect(try section("configuration").trimmingCharacters(in: .newlines) + "\n" == ReferenceTable.text)
    }

    @Test("the tables of metrics are those that `sidecar generate metrics` prints")
    func metrics() throws {
        #expect(try section("metrics") == MetricsTable.text)
    }
}
