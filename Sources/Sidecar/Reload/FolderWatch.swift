internal import Dispatch
internal import Glibc
internal import Synchronization

/// Tells when a file of some folders was written or replaced (inotify(7)).
///
/// Folders are watched, not files: editors and orchestrators replace a file by renaming another over it, which a
/// watch on the file itself would miss from then on.
final class FolderWatch: Sendable {
    // Sources may be used from any thread (dispatch_source_create(3)); only their type does not say so on Linux.
    private nonisolated(unsafe) let source: any DispatchSourceRead
    private let descriptor: CInt
    /// By path, so that a folder is watched once.
    private let watched = Mutex<Set<String>>([])

    /// - Parameters:
    ///   - queue: where `changed` is called.
    ///   - changed: something in one of the folders is not as it was.
    /// - Returns: nil when the system has no watch to give.
    init?(queue: DispatchQueue, changed: @escaping @Sendable () -> Void) {
        let descriptor = inotify_init1(CInt(O_NONBLOCK | O_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler {
            Self.drain(descriptor)
            changed()
        }
        source.setCancelHandler { close(descriptor) }
        source.resume()
    }

    /// Watches a folder too.
    ///
    /// A file counts once it is closed or renamed into place: one that is still being written is not whole.
    ///
    /// - Returns: whether it can be watched.
    func watch(_ folder: String) -> Bool {
        let events = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO)
        return watched.withLock { watched in
            if watched.contains(folder) { return true }
            guard inotify_add_watch(descriptor, folder, events) >= 0 else { return false }
            watched.insert(folder)
            return true
        }
    }

    func cancel() {
        source.cancel()
    }

    /// Takes all events off; which file it was does not matter, since what counts is what the files hold.
    private static func drain(_ descriptor: CInt) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while read(descriptor, &buffer, buffer.count) > 0 {}
    }
}
