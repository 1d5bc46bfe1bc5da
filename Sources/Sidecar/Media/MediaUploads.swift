internal import ObjectStore
internal import Synchronization

/// Sees to it that an image is in the store: one upload for each, however many requests carry it at once.
final class MediaUploads: Sendable {
    /// Brings the image, if it has to be uploaded.
    typealias Source = @Sendable () async throws(MediaProblem) -> MediaContent
    private typealias Outcome = Result<StoredImage.How, MediaProblem>

    private struct Key: Hashable {
        var name: ObjectName
        var origin: MediaOrigin
    }

    private struct State {
        /// When an image was last seen in the store.
        var known: RecentEntries<ObjectName, ContinuousClock.Instant>
        /// Those who wait for an upload that somebody else has begun.
        var waiters: [Key: [AsyncStream<Outcome>.Continuation]] = [:]
        /// The store is left alone until then.
        var outage: (until: ContinuousClock.Instant, error: MediaStoreError)?
    }

    private enum Step {
        case known
        case wait(AsyncStream<Outcome>)
        case lead
        case fail(MediaStoreError)
    }

    private let store: any MediaStore
    private let limits: MediaLibrary.Limits
    private let now: @Sendable () -> ContinuousClock.Instant
    private let turnstile: Turnstile
    private let troubles: StoreTroubles
    private let state: Mutex<State>

    init(
        to store: any MediaStore,
        log: EventLog,
        limits: MediaLibrary.Limits,
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        self.store = store
        self.limits = limits
        self.now = now
        turnstile = Turnstile(places: limits.uploads)
        troubles = StoreTroubles(log: log)
        state = Mutex(State(known: RecentEntries(most: limits.mostRemembered)))
    }

    /// Returns when the image is in the store.
    ///
    /// - Throws: ``MediaProblem``; `late` when the task is cancelled, or the one that uploads it.
    func ensure(
        _ name: ObjectName,
        cameIn origin: MediaOrigin,
        from source: Source
    ) async throws(MediaProblem) -> StoredImage.How {
        switch begin(Key(name: name, origin: origin)) {
        case .known: return .deduplicated
        case .fail(let error): throw .notStored(error)
        case .wait(let outcomes):
            for await outcome in outcomes {
                _ = try outcome.get()
                return .deduplicated
            }
            throw .late
        case .lead:
            let outcome: Outcome
            do throws(MediaProblem) {
                outcome = .success(try await store(name, origin, source))
            } catch {
                outcome = .failure(Task.isCancelled ? .late : error)
            }
            end(Key(name: name, origin: origin), outcome)
            return try outcome.get()
        }
    }

    /// What keeps images from being stored; nil while nothing does.
    var trouble: MediaStoreError.Kind? { troubles.present }

    /// Notes that an image is not where it was believed to be.
    func forget(_ name: ObjectName) {
        state.withLock { $0.known.remove(name) }
    }

    private func store(
        _ name: ObjectName,
        _ origin: MediaOrigin,
        _ source: Source
    ) async throws(MediaProblem) -> StoredImage.How {
        if try await isThere(name, origin) { return .deduplicated }
        let content = try await source()
        do { try await turnstile.enter() } catch { throw .late }
        defer { turnstile.leave() }
        try await put(content, origin)
        return .uploaded
    }

    private func isThere(_ name: ObjectName, _ origin: MediaOrigin) async throws(MediaProblem) -> Bool {
        do throws(MediaStoreError) {
            let isThere = try await store.contains(name, cameIn: origin)
            endOutage()
            return isThere
        } catch {
            throw problem(error)
        }
    }

    private func put(_ content: MediaContent, _ origin: MediaOrigin) async throws(MediaProblem) {
        do throws(MediaStoreError) {
            try await store.put(content, cameIn: origin)
            endOutage()
        } catch {
            throw problem(error)
        }
    }

    private func endOutage() {
        state.withLock { $0.outage = nil }
    }

    /// Notes a failure, unless the request was given up and the store has no part in it.
    private func problem(_ error: MediaStoreError) -> MediaProblem {
        if !Task.isCancelled {
            troubles.failed(error)
            if error.isOutage { state.withLock { $0.outage = (now() + limits.pause, error) } }
        }
        return .notStored(error)
    }

    private func begin(_ key: Key) -> Step {
        state.withLock { state in
            let now = now()
            if let seen = state.known.value(of: key.name), now - seen < store.trust { return .known }
            if let outage = state.outage, now < outage.until { return .fail(outage.error) }
            guard state.waiters[key] != nil else {
                state.waiters[key] = []
                return .lead
            }
            let (outcomes, waiter) = AsyncStream<Outcome>.makeStream()
            state.waiters[key]?.append(waiter)
            return .wait(outcomes)
        }
    }

    private func end(_ key: Key, _ outcome: Outcome) {
        let waiters = state.withLock { state in
            if case .success = outcome, store.trust > .zero { state.known.insert(now(), for: key.name) }
            return state.waiters.removeValue(forKey: key) ?? []
        }
        if case .success(.uploaded) = outcome { troubles.succeeded() }
        for waiter in waiters {
            waiter.yield(outcome)
            waiter.finish()
        }
    }
}

/// Tells the log that images cannot be stored, once for each kind of trouble, and that they can again.
final class StoreTroubles: Sendable {
    private let log: EventLog
    private let told = Mutex<MediaStoreError?>(nil)

    init(log: EventLog) {
        self.log = log
    }

    /// The last trouble, until an image is stored again.
    var present: MediaStoreError.Kind? { told.withLock { $0?.kind } }

    func failed(_ error: MediaStoreError) {
        let isNew = told.withLock { told in
            defer { told = error }
            return told?.kind != error.kind
        }
        guard isNew else { return }
        log.write(
            .warning,
            "images cannot be stored; see media.store and media.onStoreFailure",
            [("error", error.kind.rawValue), ("detail", error.detail)]
        )
    }

    func succeeded() {
        let wasTold = told.withLock { $0.take() != nil }
        if wasTold { log.write(.info, "images are stored again") }
    }
}
