import Foundation
import TestSupport
import Testing

@Suite("Policies decide and do nothing else")
struct BoundaryTests {
    /// The build does not refuse an import that the manifest does not declare, so this test does.
    @Test("the target imports nothing")
    func importsNothing() throws {
        let sources = Fixtures.repository.appending(path: "Sources/Policies").resolvingSymlinksInPath()
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
            .compactMap { $0 as? URL }
            .filter { $0.pathExtension == "swift" }

        #expect(files.count > 10)
        for file in files {
            let text = try String(contentsOf: file, encoding: .utf8)
            #expect(!text.contains(/(?m)^\s*(?:@\w+ +)*(?:\w+ +)?import +\w/), "\(file.lastPathComponent)")
        }
    }
}
