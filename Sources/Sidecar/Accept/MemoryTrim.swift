internal import CSidecar
internal import Dispatch
internal import Synchronization

/// Gives memory back to the system after large bodies have passed.
///
/// The allocator keeps what it has freed, so that the next body costs no page faults; without this a burst of
/// megabytes would count as the process's own until it ends.
final class MemoryTrim: Sendable {
    /// Less than this is not worth the work.
    private static let leastBytes = 4 * 1024 * 1024

    private let spareBuffers: SpareBuffers
    private let peak = Mutex(0)

    init(_ spareBuffers: SpareBuffers) {
        self.spareBuffers = spareBuffers
    }

    /// Looks at the bytes that bodies hold now; called several times a second.
    func observe(bufferedBytes: Int) {
        let isOver = peak.withLock { peak in
            peak = max(peak, bufferedBytes)
            guard peak >= Self.leastBytes, bufferedBytes < peak / 8 else { return false }
            peak = 0
            return true
        }
        guard isOver else { return }
        // Off the event loops: it unmaps megabytes and walks the heaps.
        DispatchQueue.global(qos: .utility).async { [spareBuffers] in
            _ = spareBuffers.removeAll()
            sidecar_trim_memory()
        }
    }
}
