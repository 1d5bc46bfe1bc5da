internal import NIOCore
internal import Synchronization

/// Buffers of large bodies that are done with, kept for the next ones.
///
/// The memory of a new buffer of megabytes comes from the system page by page, each by a fault that clears it, and
/// goes back in one piece. On the event loops both take longer than the bytes take to arrive.
final class SpareBuffers: Sendable {
    /// Bytes of all that are kept.
    private let most: Int
    private let kept = Mutex<[ByteBuffer]>([])

    init(most: Int) {
        self.most = most
    }

    /// - Parameter maxBufferedBytes: what bodies may take together.
    convenience init(bodiesTake maxBufferedBytes: Int) {
        // Each goes to the next body almost at once: more would lie there for nothing.
        self.init(most: min(50_331_648, maxBufferedBytes / 4))
    }

    /// A buffer that holds so many bytes and is no larger than a new one would be: ``BodyRoom`` has granted no more.
    func take(for byteCount: Int) -> ByteBuffer? {
        kept.withLock { kept in
            let fitting = kept.lastIndex { byteCount...byteCount.roundedUpToPowerOfTwo ~= $0.capacity }
            return fitting.map { kept.remove(at: $0) }
        }
    }

    /// Keeps a buffer, unless it is small, somebody else still has it, or there are enough.
    func keep(_ buffer: consuming ByteBuffer) {
        guard buffer.capacity >= BodyRoom.leastBytes, buffer.capacity == buffer.storageCapacity,
            buffer.modifyIfUniquelyOwned({ $0.clear() }) != nil
        else { return }
        let spare = buffer
        kept.withLock { kept in
            let sum = kept.reduce(spare.capacity) { $0 + $1.capacity }
            if sum <= most { kept.append(spare) }
        }
    }

    /// Takes all of them out; the system has their memory back when they are let go of.
    func removeAll() -> [ByteBuffer] {
        kept.withLock { kept in
            defer { kept = [] }
            return kept
        }
    }
}
