/// A hash of 128 bits that is the same in every process and release.
public struct StableDigest: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 lowercase digits, the high half first.
    public var hexadecimal: String {
        String(unsafeUninitializedCapacity: 32) { digits in
            for place in 0..<32 {
                let half = place < 16 ? high : low
                let nibble = UInt8(truncatingIfNeeded: half >> UInt64(60 - 4 * (place & 15))) & 15
                digits.initializeElement(at: place, to: nibble < 10 ? nibble + 0x30 : nibble + 0x57)
            }
            return 32
        }
    }
}

/// Hashes texts to ``StableDigest``: SipHash-1-3 with 128 bits of output.
///
/// Unlike `Hasher` it gives every replica, and the next release, the same digest. Each text is fed with its
/// length, so that ("ab", "c") and ("a", "bc") differ: eight little-endian bytes of length, the bytes, and zeros
/// up to the next multiple of eight. The digest is that of the reference code over all these bytes; the first
/// eight bytes of its output, read as little-endian, are the high half.
///
/// With a secret key nobody who sees digests can tell what was hashed, nor make two texts collide on purpose.
/// With the fixed one anybody can compute the digest of a text that they guess.
///
/// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012); the authors' reference code for the
/// output of 128 bits.
public struct StableHasher: Sendable {
    private var state: SipHash
    /// Bytes fed so far, with lengths and zeros.
    private var byteCount: UInt64 = 0

    /// - Parameter key: zeros where digests need not be secret; they must be zeros, or the same for good, where
    ///   replicas have to agree.
    public init(key: (UInt64, UInt64) = (0, 0)) {
        state = SipHash(key: key)
    }

    /// Adds one text.
    ///
    /// - Complexity: O(*n*), eight bytes a step; nothing is allocated.
    public mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        feed(UInt64(bytes.count))
        let wholeEnd = bytes.count & ~7
        for place in stride(from: 0, to: wholeEnd, by: 8) {
            feed(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
        }
        guard wholeEnd < bytes.count else { return }
        var rest: UInt64 = 0
        for place in (wholeEnd..<bytes.count).reversed() { rest = rest << 8 | UInt64(bytes[place]) }
        feed(rest)
    }

    /// Adds one text by its UTF-8 bytes: texts that only look alike differ.
    public mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { combine(UnsafeRawBufferPointer($0)) }
    }

    /// Adds a digest as a text of 16 bytes.
    public mutating func combine(_ digest: StableDigest) {
        feed(16)
        feed(digest.high)
        feed(digest.low)
    }

    /// The digest of all that was added; more may be added afterwards.
    public func finalize() -> StableDigest {
        var state = state
        let (high, low) = state.finish(last: byteCount << 56)
        return StableDigest(high: high, low: low)
    }

    private mutating func feed(_ word: UInt64) {
        state.compress(word)
        byteCount &+= 8
    }
}

/// The state of SipHash with 128 bits of output.
struct SipHash {
    private var v0, v1, v2, v3: UInt64
    private let compressionRounds: Int
    private let finalizationRounds: Int

    /// - Parameters:
    ///   - compressionRounds: for each word; the vectors of the reference code are for 2.
    ///   - finalizationRounds: for each half of the output; those vectors are for 4.
    init(key: (UInt64, UInt64), compressionRounds: Int = 1, finalizationRounds: Int = 3) {
        v0 = 0x736f_6d65_7073_6575 ^ key.0
        v1 = 0x646f_7261_6e64_6f6d ^ key.1 ^ 0xee
        v2 = 0x6c79_6765_6e65_7261 ^ key.0
        v3 = 0x7465_6462_7974_6573 ^ key.1
        self.compressionRounds = compressionRounds
        self.finalizationRounds = finalizationRounds
    }

    /// Adds eight bytes, read as little-endian.
    mutating func compress(_ word: UInt64) {
        v3 ^= word
        rounds(compressionRounds)
        v0 ^= word
    }

    /// Adds the last word and gives the two halves of the output, in the order in which they are written.
    ///
    /// - Parameter last: the up to seven bytes that are left, and on top the length of all, modulo 256.
    mutating func finish(last: UInt64) -> (UInt64, UInt64) {
        compress(last)
        v2 ^= 0xee
        rounds(finalizationRounds)
        let first = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        rounds(finalizationRounds)
        return (first, v0 ^ v1 ^ v2 ^ v3)
    }

    private mutating func rounds(_ count: Int) {
        for _ in 0..<count {
            v0 = v0 &+ v1
            v2 = v2 &+ v3
            v1 = v1.rotated(by: 13) ^ v0
            v3 = v3.rotated(by: 16) ^ v2
            v0 = v0.rotated(by: 32)
            v2 = v2 &+ v1
            v0 = v0 &+ v3
            v1 = v1.rotated(by: 17) ^ v2
            v3 = v3.rotated(by: 21) ^ v0
            v2 = v2.rotated(by: 32)
        }
    }
}

extension UInt64 {
    fileprivate func rotated(by bits: UInt64) -> UInt64 {
        self << bits | self >> (64 - bits)
    }
}
