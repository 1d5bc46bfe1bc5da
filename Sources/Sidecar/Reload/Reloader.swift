internal import Dispatch
internal import Synchronization

/// Puts a changed configuration in force, whole or not at all.
///
/// A new configuration is read, checked and compiled on a queue of its own, and handed over only when it is good; a
/// bad one changes nothing. One reload at a time.
final class Reloader: Sendable {
    /// What became of a reload.
    enum Outcome: Sendable {
        case reloaded(hash: String, waitingForRestart: [String])
        case refused([String])
        /// Nothing was read from a file, so there is nothing to read again.
        case nothingToReload
    }

    /// Reads and checks the file at a path.
    typealias Load = @Sendable (String) throws(ConfigurationError) -> LoadedConfiguration

    /// Puts a checked configuration in force, or says why it cannot be.
    typealias Apply = @Sendable (Configuration) throws(ConfigurationError) -> Void

    /// The reload that was tried last.
    struct Latest: Sendable {
        /// Seconds since 1970.
        let time: Double
        let outcome: Outcome
    }

    private struct State {
        var running: LoadedConfiguration
        /// What was read at the last try, good or bad: the same again is not tried again.
        var lastTexts: [String]
        var succeeded = 0
        var failed = 0
        var latest: Latest?
    }

    private static let lookInterval = DispatchTimeInterval.seconds(5)

    private let load: Load
    private let log: EventLog
    private let queue = DispatchQueue(label: "reload")
    private let state: Mutex<State>
    private let hasStopped = Switch()
    private let apply: Apply
    private let watch: Mutex<FolderWatch?> = Mutex(nil)

    /// - Parameters:
    ///   - running: what is in force already.
    init(
        _ running: LoadedConfiguration,
        log: EventLog,
        load: @escaping Load,
        apply: @escaping Apply
    ) {
        self.load = load
        self.log = log
        self.apply = apply
        state = Mutex(State(running: running, lastTexts: Self.texts(of: running)))
    }

    /// Reloads so far.
    var counts: (succeeded: Int, failed: Int) { state.withLock { ($0.succeeded, $0.failed) } }

    /// The last try, good or bad; nil before the first.
    var latest: Latest? { state.withLock { $0.latest } }

    /// Begins to watch the folders of the configuration and of the files that it includes.
    func startWatching() {
        guard state.withLock({ $0.running.source.path }) != nil else { return }
        let made = FolderWatch(queue: queue) { [weak self] in self?.filesMayHaveChanged() }
        watch.withLock { $0 = made }
        watchFolders()
        lookLater(afterSeeing: nil)
    }

    /// Looks now and then whether the files have changed without a word: on network and desktop mounts nobody tells,
    /// and of a folder that was replaced the old one is watched.
    ///
    /// - Parameter seen: what the files held the last time; they count only once they hold still.
    private func lookLater(afterSeeing seen: [String]?) {
        queue.asyncAfter(deadline: .now() + Self.lookInterval) { [weak self] in
            guard let self, !self.hasStopped.value else { return }
            let (running, last) = self.state.withLock { ($0.running, $0.lastTexts) }
            let texts = Self.texts(of: running)
            if texts == seen, texts != last { _ = self.reloadNow() }
            self.lookLater(afterSeeing: texts)
        }
    }

    func stopWatching() {
        hasStopped.set()
        watch.withLock { $0.take() }?.cancel()
    }

    /// Reloads now, whether or not anything has changed: SIGHUP and `POST /reload`.
    func reload(_ ended: @escaping @Sendable (Outcome) -> Void = { _ in }) {
        queue.async { ended(self.reloadNow()) }
    }

    private func filesMayHaveChanged() {
        let (running, last) = state.withLock { ($0.running, $0.lastTexts) }
        if Self.texts(of: running) != last { _ = reloadNow() }
    }

    /// Everything that the configuration is made of; what cannot be read counts as empty.
    private static func texts(of loaded: LoadedConfiguration) -> [String] {
        ([loaded.source.path].compactMap { $0 } + loaded.includedFiles).map {
            (try? TextFile.contents(of: $0)) ?? ""
        }
    }

    private func reloadNow() -> Outcome {
        let running = state.withLock { $0.running }
        guard let path = running.source.path else {
            log.write(.warning, "nothing to reload: the embedded defaults are in force")
            return .nothingToReload
        }
        // Before the file is read: what is written meanwhile then differs, and is read too.
        let texts = Self.texts(of: running)
        state.withLock { $0.lastTexts = texts }
        let outcome = outcome(of: path, over: running)
        state.withLock { $0.latest = Latest(time: Clock.epochSeconds(), outcome: outcome) }
        return outcome
    }

    private func outcome(of path: String, over running: LoadedConfiguration) -> Outcome {
        do {
            return try adopt(try load(path), over: running)
        } catch {
            return refuse(error)
        }
    }

    private func adopt(
        _ read: LoadedConfiguration,
        over running: LoadedConfiguration
    ) throws(ConfigurationError) -> Outcome {
        var loaded = read
        let waiting = try loaded.configuration.keepListeners(of: running.configuration)
        try apply(loaded.configuration)
        state.withLock { state in
            if loaded.includedFiles != running.includedFiles { state.lastTexts = Self.texts(of: loaded) }
            state.running = loaded
            state.succeeded += 1
        }
        watchFolders()
        let hash = loaded.configuration.hash
        log.write(.info, "configuration reloaded", [("config_hash", hash)])
        for key in waiting { log.write(.warning, "a change waits for a restart", [("key", key)]) }
        return .reloaded(hash: hash, waitingForRestart: waiting)
    }

    private func refuse(_ error: ConfigurationError) -> Outcome {
        state.withLock { $0.failed += 1 }
        let problems = error.problems.map(\.description)
        for problem in problems {
            log.write(
                .error,
                "configuration not reloaded, the old one stays in force",
                [("problem", problem)]
            )
        }
        return .refused(problems)
    }

    private func watchFolders() {
        let running = state.withLock { $0.running }
        let files = [running.source.path].compactMap { $0 } + running.includedFiles
        watch.withLock { watch in
            guard let watch else {
                log.write(.warning, "files cannot be watched; send SIGHUP after a change")
                return
            }
            for folder in Set(files.map(Self.folder)) where !watch.watch(folder) {
                log.write(.warning, "cannot watch a folder; send SIGHUP after a change", [("folder", folder)])
            }
        }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
