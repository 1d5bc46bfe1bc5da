import NIOCore
import ObjectStore
import Synchronization
import Testing

@testable import Sidecar

@Suite("Images are stored once, and no request waits long for it")
struct MediaLibraryTests {
    private static let threads = MediaThreads(processors: 3)

    private let store = FakeStore()
    private let clock = FakeClock()

    private func library(
        _ store: FakeStore? = nil,
        _ change: (inout MediaLibrary.Limits) -> Void = { _ in }
    ) -> MediaLibrary {
        var limits = MediaLibrary.Limits()
        change(&limits)
        let clock = clock
        return MediaLibrary(
            store ?? self.store,
            threads: Self.threads,
            log: EventLog(writer: LogWriter(descriptor: -1)),
            limits: limits,
            now: { clock.now }
        )
    }

    private func images(_ count: Int, bytes: Int = 1_000) -> [[UInt8]] {
        (0..<count).map { SampleImage.png(bytes, seed: $0) }
    }

    /// The first of a request's results.
    private func first(_ library: MediaLibrary, _ image: [UInt8]) async -> Result<StoredImage, MediaProblem>?
    {
        await library.names(of: [SampleImage.text(image)], cameIn: .request).first
    }

    @Test("each text gets its own result, in its place")
    func places() async throws {
        let images = images(3)
        let texts = [
            SampleImage.text(images[0]), SampleImage.text("PHN2Zz4="), SampleImage.text(images[1]),
            SampleImage.text("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAA"), SampleImage.text(images[2]),
        ]

        let results = await library().names(of: texts, cameIn: .request)

        #expect(results.count == 5)
        for (place, image) in zip([0, 2, 4], images) {
            let stored = try results[place].get()
            #expect(stored.how == .uploaded)
            #expect(stored.byteCount == image.count)
            #expect(store[\.objects][stored.name] == image)
        }
        #expect(results[1] == .failure(.unfit(.notAnImage)))
        #expect(results[3] == .failure(.unfit(.notBase64)))
        #expect(await library().names(of: [], cameIn: .request).isEmpty)
    }

    @Test("an image is uploaded once, however many requests carry it at once")
    func coalesced() async {
        let library = library()
        let image = images(1)[0]
        store[\.isHeld] = true

        let results = await withTaskGroup { group in
            for _ in 0..<100 { group.addTask { await self.first(library, image) } }
            group.addTask {
                while self.store[\.puts] == 0 { await Task.yield() }
                self.store[\.isHeld] = false
                return nil
            }
            return await group.reduce(into: []) { $0.append($1) }
        }

        #expect(store[\.puts] == 1)
        #expect(results.count { (try? $0?.get())?.how == .uploaded } == 1)
        #expect(results.count { (try? $0?.get())?.how == .deduplicated } == 99)
    }

    @Test("what is known to be stored is believed for an hour, then asked for")
    func trust() async throws {
        let library = library()
        let image = images(1)[0]
        _ = await first(library, image)
        #expect(store[\.questions] == 1)

        clock.advance(by: .seconds(3_599))
        #expect(try await first(library, image)?.get().how == .deduplicated)
        #expect(store[\.questions] == 1)

        clock.advance(by: .seconds(2))
        #expect(try await first(library, image)?.get().how == .deduplicated)
        #expect(store[\.questions] == 2)
        #expect(store[\.puts] == 1)
    }

    @Test("an image that is gone from the store is uploaded again", arguments: [true, false])
    func gone(isForgotten: Bool) async throws {
        let library = library()
        let image = images(1)[0]
        let name = try #require(try await first(library, image)?.get().name)
        store[\.objects] = [:]
        if isForgotten { library.forget(name) } else { clock.advance(by: .seconds(3_601)) }

        #expect(try await first(library, image)?.get().how == .uploaded)
        #expect(store[\.objects][name] == image)
    }

    @Test("another process's upload is found by asking")
    func foundByAsking() async throws {
        let image = images(1)[0]
        _ = await first(library(), image)

        #expect(try await first(library(), image)?.get().how == .deduplicated)
        #expect(store[\.puts] == 1)
    }

    @Test("a request goes on when it has waited long enough, and the upload ends behind it")
    func late() async throws {
        let library = library { $0.patience = .seconds(1) }
        let images = images(2)
        var known = await first(library, images[1])
        // The first time takes as long as the machine is busy.
        while known == .failure(.late) { known = await first(library, images[1]) }
        store[\.isHeld] = true

        let results = await library.names(of: images.map(SampleImage.text), cameIn: .request)

        #expect(try results[1].get().name == known?.get().name)
        #expect(results[0] == .failure(.late))
        store[\.isHeld] = false
        while store[\.objects].count < 2 { try await Task.sleep(for: .milliseconds(1)) }
        while await first(library, images[0]) == .failure(.late) {}
        #expect(store[\.puts] == 2)
    }

    @Test("uploads that nobody waits for are given up when their bodies take too much memory")
    func tooMuchBehind() async throws {
        let library = library {
            $0.patience = .seconds(1)
            $0.mostBackgroundBytes = 3_000
        }
        let images = images(2)
        store[\.isHeld] = true
        for image in images { #expect(await first(library, image) == .failure(.late)) }

        store[\.isHeld] = false
        while store[\.objects].isEmpty || store[\.puttingNow] > 0 {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(store[\.objects].values.map { $0 } == [images[0]])
    }

    @Test("a request whose client leaves lets its upload end")
    func clientLeaves() async throws {
        let library = library()
        let image = images(1)[0]
        store[\.isHeld] = true
        let request = Task { await first(library, image) }
        while store[\.puts] == 0 { await Task.yield() }
        request.cancel()

        #expect(await request.value == .failure(.late))
        store[\.isHeld] = false
        while store[\.objects].isEmpty { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test("only so many uploads go on at one time")
    func atOneTime() async {
        let library = library { $0.uploads = 3 }
        _ = await library.names(of: images(40).map(SampleImage.text), cameIn: .request)

        #expect(store[\.puts] == 40)
        #expect(store[\.mostPutting] <= 3)
    }

    @Test("a store that cannot be had is left alone for a while, one that refuses is asked every time")
    func outage() async {
        let library = library()
        let images = images(4)
        let (down, denied) = (MediaStoreError(.unreachable), MediaStoreError(.denied))
        store[\.error] = down
        #expect(await first(library, images[0]) == .failure(.notStored(down)))
        #expect(await first(library, images[1]) == .failure(.notStored(down)))
        #expect(store[\.questions] == 1)

        clock.advance(by: .seconds(6))
        store[\.error] = denied
        for image in images { #expect(await first(library, image) == .failure(.notStored(denied))) }
        #expect(store[\.questions] == 5)

        store[\.error] = nil
        #expect(await (try? first(library, images[0])?.get().how) == .uploaded)
    }

    @Test("what a store of limited size has deleted for the next image is no result")
    func deletedForAnother() async throws {
        let scratch = ScratchFolder()
        let folder = try DirectoryStore(at: scratch.path, base: "http://gateway:4100", mostBytes: 2_500)
        let library = MediaLibrary(
            folder,
            threads: Self.threads,
            log: EventLog(writer: LogWriter(descriptor: -1))
        )

        let results = await library.names(of: images(4).map(SampleImage.text), cameIn: .request)

        for result in results {
            guard case .success(let image) = result else { continue }
            #expect(try await folder.contains(image.name, cameIn: .request))
        }
        #expect(results.count { (try? $0.get()) != nil } == 2)
    }

    @Test("an image is read as it was stored, and a damaged one is not")
    func content() async throws {
        let library = library()
        let image = images(1)[0]
        let name = try #require(try await first(library, image)?.get().name)
        #expect(try await Array(library.content(of: name).readableBytesView) == image)

        store[\.objects][name]?[50] ^= 1
        await #expect(throws: MediaStoreError(.damaged, "not what its name says")) {
            _ = try await library.content(of: name)
        }
        store[\.objects] = [:]
        await #expect(throws: MediaStoreError(.notFound)) { _ = try await library.content(of: name) }
        #expect(
            try await first(library, image)?.get().how == .uploaded,
            "nobody believes any more that it is there"
        )
    }
}

/// A clock that stands until it is moved.
final class FakeClock: Sendable {
    private let instant = Mutex(ContinuousClock.now)

    var now: ContinuousClock.Instant { instant.withLock { $0 } }

    func advance(by duration: Duration) {
        instant.withLock { $0 += duration }
    }
}
