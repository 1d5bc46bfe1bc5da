internal import Synchronization

/// Token counts of texts that were counted before: a chat sends its whole history again with every turn.
///
/// Texts are known by a keyed hash of 64 bits and their length, never kept. Two generations: what was not asked for
/// since the older one began is forgotten with it. Shared by the event loops, since a conversation comes by any of
/// them.
final class CountMemory: Sendable {
    /// Texts a generation: 4 MB at most for both.
    private static let generationSize = 32_768
    /// Shorter texts are counted as fast as they are looked up.
    static let leastBytes = 48

    /// What a count holds for.
    struct Key: Hashable {
        fileprivate let hash: UInt64
        fileprivate let byteCount: UInt32
        fileprivate let encoding: UInt16
        fileprivate let isEscaped: Bool
    }

    fileprivate struct Generations {
        var young: [Key: Int32] = [:]
        var old: [Key: Int32] = [:]
    }

    private let generations = Mutex(Generations())
    private let secret: UInt64

    init() {
        var system = SystemRandomNumberGenerator()
        secret = system.next()
    }

    /// - Parameters:
    ///   - text: as it is written in the body.
    ///   - isEscaped: whether it is counted with its escapes decoded.
    func key(_ text: UnsafeRawBufferPointer, encoding: UInt16, isEscaped: Bool) -> Key {
        Key(
            hash: keyedHash(of: text, secret),
            byteCount: UInt32(truncatingIfNeeded: text.count),
            encoding: encoding,
            isEscaped: isEscaped
        )
    }

    /// The count of a text; nil when it is not known.
    func count(of key: Key) -> Int? {
        generations.withLock { generations -> Int? in
            if let count = generations.young[key] { return Int(count) }
            guard let count = generations.old[key] else { return nil }
            generations.insert(count, for: key, size: Self.generationSize)
            return Int(count)
        }
    }

    func remember(_ count: Int, of key: Key) {
        guard let count = Int32(exactly: count) else { return }
        generations.withLock { $0.insert(count, for: key, size: Self.generationSize) }
    }
}

extension CountMemory.Generations {
    fileprivate mutating func insert(_ count: Int32, for key: CountMemory.Key, size: Int) {
        if young.count >= size {
            old = young
            young = [:]
        }
        young[key] = count
    }
}
