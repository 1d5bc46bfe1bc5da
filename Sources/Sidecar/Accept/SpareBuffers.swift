internal import NIOCore
internal import Synchronization

/// Buffers of large bodies that are done with, kept for the next ones.
///
/// The memory of a new buffer of megabytes comes from the system page by page, each by a fault that clears it, and
/// goes back in one piece. On the event loops both take longer than the bytes take to arrive.
///
/// Bodies and spare buffers together take no more than bodies alone would: a new buffer is made only where no spare one
/// fits, and then others go.
final class SpareBuffers: Sendable {
    /// Smaller ones the allocator keeps itself (`sidecar_tune_allocator`).
    private static let leastBytes = 8 << 20

    /// Bytes of all that are kept.
    private let most: Int
    private let kept = Mutex<[ByteBuffer]>([])

    init(most: Int) {
        self.most = most
    }

    /// - Parameter maxBufferedBytes: what bodies may take together.
    convenience init(bodiesTake maxBufferedBytes: Int) {
        // Half of what large ones may: as many end before the next have begun.
        self.init(most: min(96 << 20, maxBufferedBytes / 8 * 3))
    }

    /// A buffer that holds so many bytes and is no larger than a new one would be: ``BodyRoom`` has granted no more.
    ///
    /// - Returns: nil if there is none; then as much as a new one takes is kept no more.
    func take(for byteCount: Int) -> ByteBuffer? {
        let capacity = byteCount.roundedUpToPowerOfTwo
        let (fitting, leaving) = kept.withLock { kept -> (ByteBuffer?, [ByteBuffer]) in
            let place = kept.lastIndex { byteCount...capacity ~= $0.capacity }
            if let place { return (kept.remove(at: place), []) }
            return (nil, Self.takeOldest(capacity, of: &kept))
        }
        // The others' memory goes back outside of the lock.
        _ = consume leaving
        return fitting
    }

    private static func takeOldest(_ byteCount: Int, of kept: inout [ByteBuffer]) -> [ByteBuffer] {
        var (count, sum) = (0, 0)
        while count < kept.count, sum < byteCount {
            sum += kept[count].capacity
            count += 1
        }
        defer { kept.removeFirst(count) }
        return Array(kept.prefix(count))
    }

    /// Keeps a buffer, unless it is small, somebody else still has it, or there are enough.
    func keep(_ buffer: consuming ByteBuffer) {
        guard buffer.capacity >= Self.leastBytes, buffer.capacity == buffer.storageCapacity,
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
