internal import NIOCore
internal import ObjectStore
internal import Synchronization
internal import Wire

/// An image that is in the store.
struct StoredImage: Equatable, Sendable {
    enum How: Sendable {
        case uploaded
        /// It was there already.
        case deduplicated
    }

    var name: ObjectName
    /// Of the image, decoded.
    var byteCount: Int
    var how: How
}

/// Why an image is not in the store.
enum MediaProblem: Error, Equatable, Sendable {
    /// It never will be: it passes as it is.
    case unfit(MediaFault)
    case notStored(MediaStoreError)
    /// It took longer than a request may wait; it may still be stored later.
    case late
}

/// Puts images into the store, each once, and knows those again that were there before.
///
/// Shared by the event loops; nothing here runs on one.
final class MediaLibrary: Sendable {
    struct Limits: Sendable {
        /// The longest time that a request waits.
        var patience = Duration.seconds(5)
        /// Uploads at one time: a slow uplink ends some in time rather than all too late.
        var uploads = 4
        /// Of bodies whose images are still on their way after their request has gone on.
        var mostBackgroundBytes = 134_217_728
        /// A store that cannot be had is left alone for so long.
        var pause = Duration.seconds(5)
        /// Names and texts that are remembered, each.
        var mostRemembered = 65_536
    }

    let store: any MediaStore
    /// Those that read images to put them back into bodies: what they read counts nowhere else.
    let puttingBack = Turnstile(places: 2)
    private let texts: TextMemory
    private let uploads: MediaUploads
    let threads: MediaThreads
    let limits: Limits
    private let backgroundBytes = Gauge()

    /// - Parameter now: for what is trusted and paused for a time.
    init(
        _ store: any MediaStore,
        threads: MediaThreads,
        log: EventLog,
        limits: Limits = Limits(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.store = store
        self.threads = threads
        self.limits = limits
        texts = TextMemory(most: limits.mostRemembered)
        uploads = MediaUploads(to: store, log: log, limits: limits, now: now)
    }

    /// Has the images of one body stored, and waits for it, but not for long.
    ///
    /// - Returns: one result for each text, in their order. What is late goes on in the background, as far as there
    ///   is memory for it.
    func names(
        of texts: [MediaText],
        cameIn origin: MediaOrigin
    ) async -> [Result<StoredImage, MediaProblem>] {
        guard !texts.isEmpty else { return [] }
        let (outcomes, reports) = AsyncStream<Outcome>.makeStream()
        let work = Task {
            await store(texts, origin, reports)
            reports.finish()
        }
        let alarm = Task {
            try? await Task.sleep(for: limits.patience)
            reports.finish()
        }
        var results: [Result<StoredImage, MediaProblem>?] = texts.map { _ in nil }
        for await outcome in outcomes { results[outcome.place] = outcome.result }
        alarm.cancel()
        if results.contains(where: { $0 == nil }) { goOn(work, with: texts) }
        return await confirmed(results.map { $0 ?? .failure(.late) }, origin)
    }

    /// Asks again for images beside which others were stored: a store of limited size may have deleted one of them
    /// for the next.
    private func confirmed(
        _ results: [Result<StoredImage, MediaProblem>],
        _ origin: MediaOrigin
    ) async -> [Result<StoredImage, MediaProblem>] {
        let images = results.compactMap { try? $0.get() }
        guard store.trust == .zero, images.count > 1, images.contains(where: { $0.how == .uploaded }) else {
            return results
        }
        var confirmed = results
        for (place, result) in results.enumerated() {
            guard let image = try? result.get() else { continue }
            if (try? await store.contains(image.name, cameIn: origin)) != true {
                confirmed[place] = .failure(.notStored(MediaStoreError(.noRoom, "deleted for another")))
            }
        }
        return confirmed
    }

    /// An image as it was stored, its digest checked.
    func content(of name: ObjectName) async throws(MediaStoreError) -> ByteBuffer {
        do throws(MediaStoreError) {
            let content = try await store.read(name)
            guard await hasDigest(content, name.digest) else {
                throw MediaStoreError(.damaged, "not what its name says")
            }
            return content
        } catch {
            if error.kind == .notFound || error.kind == .damaged { forget(name) }
            throw error
        }
    }

    /// What keeps images from being stored; nil while nothing does.
    var trouble: MediaStoreError.Kind? { uploads.trouble }

    /// Notes that an image is not where it was believed to be.
    func forget(_ name: ObjectName) {
        uploads.forget(name)
    }

    private struct Outcome: Sendable {
        var place: Int
        var result: Result<StoredImage, MediaProblem>
    }

    private func store(
        _ texts: [MediaText],
        _ origin: MediaOrigin,
        _ reports: AsyncStream<Outcome>.Continuation
    ) async {
        let memory = self.texts
        let digests = try? await threads.run { texts.map { memory.digest(of: $0) } }
        guard let digests else { return }
        await withTaskGroup { group in
            for (place, text) in texts.enumerated() {
                group.addTask {
                    let result: Result<StoredImage, MediaProblem>
                    do throws(MediaProblem) {
                        result = .success(try await self.store(text, digests[place], origin))
                    } catch {
                        result = .failure(error)
                    }
                    reports.yield(Outcome(place: place, result: result))
                }
            }
        }
    }

    private func store(
        _ text: MediaText,
        _ digest: KeyedDigest,
        _ origin: MediaOrigin
    ) async throws(MediaProblem) -> StoredImage {
        var decoded: MediaContent?
        let seen: TextMemory.Image
        if let known = texts[digest] {
            seen = known
        } else {
            (seen, decoded) = try await decode(text, digest)
        }
        let content = decoded
        let how = try await uploads.ensure(seen.name, cameIn: origin) { () throws(MediaProblem) in
            // A text that was seen before is decoded again only if its image is gone.
            if let content { content } else { try await self.decode(text) }
        }
        return StoredImage(name: seen.name, byteCount: seen.byteCount, how: how)
    }

    /// Decodes a text unless another request has done so while this one waited for a thread.
    private func decode(
        _ text: MediaText,
        _ digest: KeyedDigest
    ) async throws(MediaProblem) -> (TextMemory.Image, MediaContent?) {
        let memory = texts
        return try await onThread { () throws(MediaFault) in
            if let seen = memory[digest] { return (seen, nil) }
            let content = try MediaContent(text)
            let image = TextMemory.Image(name: content.name, byteCount: content.byteCount)
            memory.remember(image, for: digest)
            return (image, content)
        }
    }

    private func decode(_ text: MediaText) async throws(MediaProblem) -> MediaContent {
        try await onThread { () throws(MediaFault) in try MediaContent(text) }
    }

    private func onThread<Value: Sendable>(
        _ work: @escaping @Sendable () throws(MediaFault) -> Value
    ) async throws(MediaProblem) -> Value {
        do {
            return try await threads.run(work)
        } catch let fault as MediaFault {
            throw .unfit(fault)
        } catch {
            throw .late
        }
    }

    private func hasDigest(_ content: ByteBuffer, _ digest: ContentDigest) async -> Bool {
        let found = try? await threads.run { content.withUnsafeReadableBytes { ContentDigest(of: $0) } }
        return found == digest
    }

    /// Lets work end that nobody waits for any more, unless the bodies of such work take too much memory.
    private func goOn(_ work: Task<Void, Never>, with texts: [MediaText]) {
        // The texts of a request lie in one body, which is held as long as one of them is.
        let byteCount = texts.map(\.base64.storageCapacity).max() ?? 0
        if backgroundBytes.increment(by: byteCount) > limits.mostBackgroundBytes { work.cancel() }
        Task {
            await work.value
            backgroundBytes.decrement(by: byteCount)
        }
    }
}
