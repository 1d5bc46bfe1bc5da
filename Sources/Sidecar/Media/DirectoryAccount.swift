internal import NIOPosix
internal import ObjectStore
internal import Synchronization

/// What is in a directory store of limited size, and in which order it was used; read from the disk at the start.
final class DirectoryAccount: Sendable {
    private struct Found: Sendable {
        var name: ObjectName
        var item: StoreFolder.Item
        var origin: MediaOrigin
    }

    private struct State {
        var quota: DirectoryQuota
        var isFilled = false
    }

    private let state: Mutex<State>
    private let reading: Task<[Found], Never>

    /// Begins to read the folder.
    init(of folder: StoreFolder, mostBytes: Int, pool: NIOThreadPool) {
        state = Mutex(State(quota: DirectoryQuota(mostBytes: mostBytes)))
        reading = Task { (try? await pool.runIfActive { Self.objects(in: folder) }) ?? [] }
    }

    /// Waits until the folder has been read: before that no file may be written or moved.
    func wait() async {
        guard !state.withLock({ $0.isFilled }) else { return }
        let found = await reading.value
        state.withLock { state in
            guard !state.isFilled else { return }
            for object in found {
                state.quota.add(object.name, byteCount: object.item.byteCount, origin: object.origin)
            }
            state.isFilled = true
        }
    }

    /// Makes room for an object that is about to be written; ``settle(_:stored:)`` must follow.
    ///
    /// - Returns: what is to be deleted.
    func reserve(_ byteCount: Int) throws(MediaStoreError) -> [ObjectName] {
        guard let deleted = state.withLock({ $0.quota.reserve(byteCount) }) else {
            throw MediaStoreError(.noRoom, "maxBytes is reached")
        }
        return deleted
    }

    /// Says what became of an object that room was made for.
    func settle(_ byteCount: Int, stored: (name: ObjectName, origin: MediaOrigin)?) {
        state.withLock { state in
            state.quota.release(byteCount)
            guard let stored else { return }
            state.quota.add(stored.name, byteCount: byteCount, origin: stored.origin)
        }
    }

    func used(_ name: ObjectName, cameIn origin: MediaOrigin) {
        state.withLock { $0.quota.use(name, cameIn: origin) }
    }

    /// Somebody else has deleted a file.
    func isGone(_ name: ObjectName) {
        state.withLock { $0.quota.remove(name) }
    }

    /// What lies in the folder, the one first that was used the longest time ago.
    private static func objects(in folder: StoreFolder) -> [Found] {
        var objects: [Found] = []
        for origin in MediaOrigin.allCases {
            let origins = folder.subfolder(origin.folderName)
            for part in (try? origins.names()) ?? [] {
                let home = origins.subfolder(part)
                for file in (try? home.names()) ?? [] {
                    guard let name = ObjectName(key: "\(part)/\(file)"), let item = try? home.item(file)
                    else {
                        continue
                    }
                    objects.append(Found(name: name, item: item, origin: origin))
                }
            }
        }
        return objects.sorted { $0.item.modified < $1.item.modified }
    }
}
