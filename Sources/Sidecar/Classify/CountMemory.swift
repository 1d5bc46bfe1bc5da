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

/// Multiplies words of 128 bits and folds the product, as wyhash does (Wang Yi, "wyhash", 2020): several bytes a
/// cycle, where a cryptographic hash would cost as much as counting.
///
/// A collision makes a wrong count, no more, and without the secret nobody can look for one.
private func keyedHash(of bytes: UnsafeRawBufferPointer, _ secret: UInt64) -> UInt64 {
    let (first, second): (UInt64, UInt64) = (0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB)
    var (even, odd) = (secret, secret ^ second)
    var index = 0
    while index + 32 <= bytes.count {
        even = folded(bytes.word(at: index) ^ first ^ even, bytes.word(at: index + 8) ^ even)
        odd = folded(bytes.word(at: index + 16) ^ second ^ odd, bytes.word(at: index + 24) ^ odd)
        index += 32
    }
    while index < bytes.count {
        even = folded(bytes.partialWord(at: index) ^ first, even ^ second)
        index += 8
    }
    return folded(even ^ UInt64(bytes.count), odd ^ first)
}

@inline(__always)
private func folded(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    fileprivate func word(at offset: Int) -> UInt64 {
        loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    /// At most eight bytes, the missing ones as zero.
    fileprivate func partialWord(at offset: Int) -> UInt64 {
        if offset + 8 <= count { return word(at: offset) }
        var word: UInt64 = 0
        for place in offset..<count { word = word << 8 | UInt64(self[place]) }
        return word
    }
}
