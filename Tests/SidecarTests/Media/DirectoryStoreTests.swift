import Foundation
import NIOCore
import ObjectStore
import TestSupport
import Testing

@testable import Sidecar

@Suite("A folder keeps images, whole and under their own names")
struct DirectoryStoreTests {
    private let scratch = ScratchFolder()

    private func open(mostBytes: Int? = nil) throws -> DirectoryStore {
        try DirectoryStore(at: "\(scratch.path)/store", base: "http://gateway:4100", mostBytes: mostBytes)
    }

    private var files: Set<String> {
        Set(scratch.files.map { $0.replacing("store/", with: "") }.filter { $0 != DirectorySecret.fileName })
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(scratch.path)/store\(path)")
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test("an image is written once, read as it came, and there after a restart")
    func roundTrip() async throws {
        let image = SampleImage.png(250_000)
        let content = try MediaContent(SampleImage.text(image))
        let store = try open()

        #expect(try await !store.contains(content.name, cameIn: .request))
        try await store.put(content, cameIn: .request)
        try await store.put(content, cameIn: .request)

        #expect(files == ["requests/\(content.name.key)"])
        for store in [store, try open()] {
            #expect(try await store.contains(content.name, cameIn: .request))
            #expect(try await Array(store.read(content.name).readableBytesView) == image)
            let file = try #require(try await store.file(content.name))
            #expect(file.byteCount == image.count)
            #expect(FileManager.default.contents(atPath: file.path) == Data(image))
        }
    }

    @Test("nobody else may look into it")
    func permissions() async throws {
        let content = try SampleImage.content()
        try await open().put(content, cameIn: .answer)

        #expect(try mode("") == 0o700)
        #expect(try mode("/secret") == 0o600)
        #expect(try mode("/answers/\(content.name.key)") == 0o600)
    }

    @Test("links survive a restart, and are of no use in another installation")
    func links() async throws {
        let name = try SampleImage.content().name
        let time = SigningTime(secondsSince1970: 1_800_000_000)
        let url = try open().url(for: name, at: time, lifetime: .seconds(60))
        let target = String(url.dropFirst("http://gateway:4100".utf8.count))

        #expect(try open().access(to: target, at: time) == .granted(name, until: time + .seconds(60)))
        #expect(try open().objectName(ofOwnURL: url) == name)
        let other = ScratchFolder()
        let stranger = try DirectoryStore(at: other.path, base: "http://gateway:4100")
        #expect(stranger.access(to: target, at: time) == .refused)
        try stranger.rebase(to: "https://elsewhere/x")
        #expect(
            stranger.url(for: name, at: time, lifetime: .seconds(60)).hasPrefix("https://elsewhere/x/media/")
        )
        #expect(stranger.objectName(ofOwnURL: url) == nil)
    }

    @Test("many that open it at once share one secret")
    func oneSecret() async throws {
        let path = scratch.path
        let secrets = try await withThrowingTaskGroup { group in
            for _ in 0..<16 {
                group.addTask { try DirectorySecret.load(from: StoreFolder(at: path)) }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }

        #expect(secrets.count == 1)
        #expect(secrets.first?.count == 32)
        #expect(scratch.files.isEmpty, "no draft is left")
    }

    @Test("a secret that is not one is refused, not replaced")
    func damagedSecret() throws {
        _ = try open()
        try Data("short".utf8).write(to: URL(filePath: "\(scratch.path)/store/secret"))

        #expect(throws: MediaStoreError.self) { try open() }
        #expect(try Data(contentsOf: URL(filePath: "\(scratch.path)/store/secret")).count == 5)
    }

    @Test("an image of a request that comes in an answer moves to those")
    func promotion() async throws {
        let content = try SampleImage.content()
        let store = try open()
        try await store.put(content, cameIn: .request)
        try await store.put(content, cameIn: .answer)
        try await store.put(content, cameIn: .request)

        #expect(files == ["answers/\(content.name.key)"])
        #expect(try await store.read(content.name).readableBytes == content.byteCount)
    }

    @Test(
        "when there is no room the oldest image of a request goes, and that of an answer stays, after restarts too"
    )
    func eviction() async throws {
        let contents = try (0..<5).map { try SampleImage.content(1_000, seed: $0) }
        func names(_ origin: String, _ places: [Int]) -> Set<String> {
            Set(places.map { "\(origin)/\(contents[$0].name.key)" })
        }
        try await open(mostBytes: 3_500).put(contents[0], cameIn: .answer)
        try await open(mostBytes: 3_500).put(contents[1], cameIn: .request)
        // Times of files have whole seconds here and there.
        let old = "\(scratch.path)/store/requests/\(contents[1].name.key)"
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -60)],
            ofItemAtPath: old
        )
        let store = try open(mostBytes: 3_500)
        try await store.put(contents[2], cameIn: .request)
        try await store.put(contents[3], cameIn: .request)
        #expect(files == names("answers", [0]).union(names("requests", [2, 3])))

        #expect(try await store.contains(contents[2].name, cameIn: .request))
        try await store.put(contents[4], cameIn: .request)

        #expect(files == names("answers", [0]).union(names("requests", [2, 4])))
        #expect(try await !store.contains(contents[3].name, cameIn: .request))
    }

    @Test("with answers alone there is no room, and nothing is lost")
    func noRoom() async throws {
        let store = try open(mostBytes: 2_500)
        let contents = try (0..<3).map { try SampleImage.content(1_000, seed: $0) }
        for content in contents.prefix(2) { try await store.put(content, cameIn: .answer) }

        await #expect(throws: MediaStoreError(.noRoom, "maxBytes is reached")) {
            try await store.put(contents[2], cameIn: .answer)
        }
        #expect(files.count == 2)
    }

    @Test("an image that somebody deletes is missing, and can be stored again")
    func deletedOutside() async throws {
        let store = try open(mostBytes: 1_500)
        let content = try SampleImage.content(1_000)
        try await store.put(content, cameIn: .request)
        try FileManager.default.removeItem(atPath: "\(scratch.path)/store/requests/\(content.name.key)")

        #expect(try await !store.contains(content.name, cameIn: .request))
        await #expect(throws: MediaStoreError(.notFound)) { _ = try await store.read(content.name) }
        #expect(try await store.file(content.name) == nil)
        try await store.put(content, cameIn: .request)
        #expect(try await store.contains(content.name, cameIn: .request))
    }

    @Test("a folder that cannot be written leaves nothing behind")
    func unwritable() async throws {
        let store = try open()
        let content = try SampleImage.content(20_000)
        let home = "\(scratch.path)/store/requests"
        try FileManager.default.removeItem(atPath: home)
        try Data().write(to: URL(filePath: home))

        await #expect(throws: MediaStoreError.self) { try await store.put(content, cameIn: .request) }
        #expect(files == ["requests"])
    }

    @Test("a path that is no folder is refused", arguments: ["/dev/null", "/dev/null/store", "/proc/store"])
    func unusable(path: String) {
        #expect(throws: MediaStoreError.self) { try DirectoryStore(at: path, base: "http://gateway:4100") }
    }

    @Test("a folder that is full fails without half an image", .enabled(if: SmallDisk.isAvailable))
    func fullDisk() async throws {
        let disk = try SmallDisk(at: scratch.path, byteCount: 400_000)
        defer { disk.unmount() }
        let store = try DirectoryStore(at: "\(scratch.path)/store", base: "http://gateway:4100")
        let (small, large) = (try SampleImage.content(20_000), try SampleImage.content(500_000))

        let error = await #expect(throws: MediaStoreError.self) {
            try await store.put(large, cameIn: .request)
        }
        #expect(error?.kind == .noRoom)
        #expect(files.isEmpty)
        try await store.put(small, cameIn: .request)
        #expect(files == ["requests/\(small.name.key)"])
    }

    @Test("drafts of processes that were killed are cleaned up, those of others are not")
    func leftovers() async throws {
        _ = try open()
        let incoming = "\(scratch.path)/store/incoming"
        for name in [".old", ".new"] { try Data([1]).write(to: URL(filePath: "\(incoming)/\(name)")) }
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -7_200)],
            ofItemAtPath: "\(incoming)/.old"
        )

        let store = try open()
        // The disk's threads clean up in their own time.
        for _ in 0..<200 where files.contains("incoming/.old") { try await Task.sleep(for: .milliseconds(5)) }

        #expect(files == ["incoming/.new"])
        #expect(try await !store.contains(SampleImage.content().name, cameIn: .request))
    }
}

/// A file system of a few pages, where this user may make one.
private struct SmallDisk {
    private let path: String

    static let isAvailable: Bool = {
        let scratch = ScratchFolder()
        guard let disk = try? SmallDisk(at: scratch.path, byteCount: 65_536) else { return false }
        disk.unmount()
        return true
    }()

    init(at path: String, byteCount: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let failed = try Self.run("mount", "-t", "tmpfs", "-o", "size=\(byteCount)", "tmpfs", path) != 0
        if failed { throw CocoaError(.fileWriteNoPermission) }
    }

    func unmount() {
        _ = try? Self.run("umount", "-l", path)
    }

    private static func run(_ arguments: String...) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
