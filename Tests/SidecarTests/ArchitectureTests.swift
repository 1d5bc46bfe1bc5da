import Foundation
import TestSupport
import Testing

/// The build does not refuse an import that the manifest does not declare, so this test does.
@Suite("Targets know of each other what the layout allows")
struct ArchitectureTests {
    private static let policy: [(target: String, allowed: Set<String>)] = [
        ("Policies", ["Glibc", "Synchronization"]),
        ("Wire", ["Glibc", "Synchronization"]),
        ("Telemetry", ["Glibc", "Synchronization"]),
        ("TokenCount", ["VocabularyData", "Glibc", "Synchronization"]),
        ("ObjectStore", ["Crypto"]),
        ("Egress", ["Crypto", "Glibc", "Synchronization", "NIOCore", "NIOPosix", "NIOSSL", "NIOTLS"]),
        (
            "Sidecar",
            [
                "Policies", "Wire", "Telemetry", "TokenCount", "ObjectStore", "Egress", "CSidecar", "Glibc",
                "Synchronization", "FoundationEssentials", "Dispatch", "NIOCore", "NIOPosix", "NIOHTTP1",
                "NIOSSL", "NIOTLS", "AsyncHTTPClient", "ArgumentParser", "Tracing",
            ]
        ),
    ]

    private static let ours: Set<String> = [
        "Policies", "Wire", "Telemetry", "TokenCount", "ObjectStore", "Egress", "VocabularyData", "CSidecar",
    ]

    private func files(of target: String) throws -> [URL] {
        let folder = Fixtures.repository.appending(path: "Sources/\(target)").resolvingSymlinksInPath()
        return try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
            .compactMap { $0 as? URL }
    }

    private func imports(of file: URL) throws -> Set<String> {
        let line =
            /(?m)^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|func|protocol|typealias|var|let)\s+)?(\w+)/
        return try Set(String(contentsOf: file, encoding: .utf8).matches(of: line).map { String($0.1) })
    }

    @Test("every target is spoken of here")
    func complete() throws {
        let sources = Fixtures.repository.appending(path: "Sources").resolvingSymlinksInPath()
        let targets = try FileManager.default.contentsOfDirectory(atPath: sources.path())

        #expect(Set(targets) == Set(Self.policy.map(\.target)).union(["VocabularyData", "CSidecar"]))
    }

    @Test("a Swift target imports nothing but what it is allowed", arguments: policy)
    func imports(target: String, allowed: Set<String>) throws {
        let swift = try files(of: target).filter { $0.pathExtension == "swift" }

        #expect(swift.count > 5)
        for file in swift {
            #expect(try imports(of: file).subtracting(allowed).isEmpty, "\(file.lastPathComponent)")
        }
    }

    @Test(
        "a C target holds no Swift and includes nothing of the others",
        arguments: ["VocabularyData", "CSidecar"]
    )
    func plainC(target: String) throws {
        for file in try files(of: target) {
            #expect(file.pathExtension != "swift")
            guard ["c", "h", "S"].contains(file.pathExtension) else { continue }
            let included = try String(contentsOf: file, encoding: .utf8).matches(
                of: /#\s*include\s*["<](\w+)/
            )
            #expect(Self.ours.subtracting([target]).isDisjoint(with: included.map { String($0.1) }))
        }
    }

    @Test("a state machine knows no channel")
    func statesArePure() throws {
        let states = try Self.policy.flatMap { try files(of: $0.target) }.filter {
            $0.pathExtension == "swift" && $0.deletingPathExtension().lastPathComponent.contains("State")
        }

        #expect(states.count >= 3)
        for file in states {
            let imported = try imports(of: file)
            #expect(!imported.contains { $0.hasPrefix("NIO") }, "\(file.lastPathComponent)")
        }
    }

    @Test("the imports of a line are read, however it is spelled")
    func readsImports() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).swift")
        defer { try? FileManager.default.removeItem(at: file) }
        let text = """
            import A
            public import B
            @testable import C
            @_spi(X) internal import struct D.Inner
            // import E
            let text = "import F"
              import G
            @preconcurrency
            import H
            """
        try text.write(to: file, atomically: true, encoding: .utf8)

        #expect(try imports(of: file) == ["A", "B", "C", "D", "G", "H"])
    }
}
