internal import VocabularyData

/// The tokens of one encoding and their ranks, read where they lie in the binary.
///
/// The file is made by `scripts/vocabulary.py`, which describes its layout: two perfect hash tables, so that a
/// look-up is one probe whether it hits or misses, the ranks of all pairs of bytes, and the bytes of all tokens by
/// rank. Opening it costs nothing.
///
/// In every shipped vocabulary merging a token's own bytes ends in that token; the script refuses any other. So
/// looking a piece up gives what merging it would.
struct Vocabulary: @unchecked Sendable {
    // Unchecked: all pointers lead into a read-only section of the binary, which nothing writes or unloads.

    /// Stands for "no such token".
    static let none = UInt32.max

    /// Number of ranks; ranks are 0 ..< this.
    let tokens: Int
    /// Length of the longest token in bytes.
    let longest: Int

    private let shortBuckets: UInt64
    private let shortSlots: UInt64
    private let shortSeeds: UnsafePointer<UInt16>
    private let shortKeys: UnsafePointer<UInt64>
    private let shortValues: UnsafePointer<UInt32>
    private let longBuckets: UInt64
    private let longSlots: UInt64
    private let longSeeds: UnsafePointer<UInt16>
    /// Fingerprint and rank of each slot, one after the other.
    private let longValues: UnsafePointer<UInt32>
    private let pairs: UnsafePointer<UInt32>
    private let ends: UnsafePointer<UInt32>
    private let bytes: UnsafePointer<UInt8>

    /// Opens the vocabulary that starts at an address.
    ///
    /// - Precondition: the file's magic number is there; what the binary carries is not checked further.
    init(at start: UnsafeRawPointer) {
        let header = start.assumingMemoryBound(to: UInt32.self)
        precondition(header[0] == 0x3156_4353, "not a vocabulary of this version")
        func section<Element>(_ field: Int, of type: Element.Type) -> UnsafePointer<Element> {
            (start + Int(header[field])).assumingMemoryBound(to: type)
        }
        tokens = Int(header[1])
        longest = Int(header[2])
        shortBuckets = UInt64(header[3])
        shortSlots = UInt64(header[4])
        longBuckets = UInt64(header[5])
        longSlots = UInt64(header[6])
        shortSeeds = section(7, of: UInt16.self)
        shortKeys = section(8, of: UInt64.self)
        shortValues = section(9, of: UInt32.self)
        longSeeds = section(10, of: UInt16.self)
        longValues = section(11, of: UInt32.self)
        pairs = section(12, of: UInt32.self)
        ends = section(13, of: UInt32.self)
        bytes = section(14, of: UInt8.self)
    }

    static let o200kBase = Vocabulary(at: sidecar_vocabulary_o200k_base_start())
    static let cl100kBase = Vocabulary(at: sidecar_vocabulary_cl100k_base_start())
}

extension Vocabulary {
    /// The bytes of the token of a rank; nil for a rank that the vocabulary does not have.
    func bytes(of rank: Int) -> UnsafeBufferPointer<UInt8>? {
        guard rank >= 0, rank < tokens else { return nil }
        let start = Int(ends[rank])
        return UnsafeBufferPointer(start: bytes + start, count: Int(ends[rank + 1]) - start)
    }

    /// The rank of some bytes, or ``none``.
    ///
    /// - Parameters:
    ///   - count: at least 1.
    ///   - readable: how many bytes from `start` on may be read, at least `count`; with 8 or more a short key is
    ///     one load.
    @inline(__always)
    func rank(_ start: UnsafePointer<UInt8>, count: Int, readable: Int) -> UInt32 {
        if count <= 8 {
            return shortRank(Self.word(start, count: count, readable: readable), count: count)
        }
        return count <= longest ? longRank(start, count: count) : Self.none
    }

    /// The rank of two bytes, or ``none``; quicker than ``rank(_:count:readable:)``.
    @inline(__always)
    func pairRank(_ first: UInt8, _ second: UInt8) -> UInt32 {
        pairs[Int(first) &<< 8 | Int(second)]
    }

    @inline(__always)
    private func shortRank(_ word: UInt64, count: Int) -> UInt32 {
        let key = count == 8 ? word : word | UInt64(truncatingIfNeeded: count) &<< 56
        let hash = Self.mixed(key)
        let slot = Self.slot(hash, shortSeeds, buckets: shortBuckets, slots: shortSlots)
        let value = shortValues[slot]
        // The length is compared too: eight bytes may end as a shorter key does.
        guard shortKeys[slot] == key, value &>> 24 == UInt32(truncatingIfNeeded: count) else {
            return Self.none
        }
        return value & 0xFF_FFFF
    }

    @inline(never)
    private func longRank(_ start: UnsafePointer<UInt8>, count: Int) -> UInt32 {
        let hash = Self.mixed(Self.longKey(UnsafeRawPointer(start), count: count))
        let slot = Self.slot(hash, longSeeds, buckets: longBuckets, slots: longSlots)
        let rank = longValues[2 &* slot &+ 1]
        guard longValues[2 &* slot] == UInt32(truncatingIfNeeded: hash), rank != Self.none,
            let token = bytes(of: Int(rank)), token.count == count, let known = token.baseAddress
        else { return Self.none }
        return Self.areEqual(UnsafeRawPointer(known), UnsafeRawPointer(start), count: count)
            ? rank : Self.none
    }
}

extension Vocabulary {
    private static let spread: UInt64 = 0x9E37_79B9_7F4A_7C15
    private static let fold: UInt64 = 0xE703_7ED1_A0B4_28DB

    /// Up to 8 bytes as a little-endian number.
    @inline(__always)
    private static func word(_ start: UnsafePointer<UInt8>, count: Int, readable: Int) -> UInt64 {
        if readable >= 8 {
            let unused = UInt64(truncatingIfNeeded: 64 &- 8 &* count)
            return UnsafeRawPointer(start).loadUnaligned(as: UInt64.self) & (UInt64.max &>> unused)
        }
        var word: UInt64 = 0
        for i in 0..<count {
            word |= UInt64(start[i]) &<< UInt64(truncatingIfNeeded: 8 &* i)
        }
        return word
    }

    /// Folds the whole words from the front, then the last 8 bytes, which may overlap them.
    @inline(__always)
    private static func longKey(_ start: UnsafeRawPointer, count: Int) -> UInt64 {
        var key = UInt64(truncatingIfNeeded: count) &* spread
        var at = 0
        while at < count - 8 {
            key = (key ^ start.loadUnaligned(fromByteOffset: at, as: UInt64.self)) &* fold
            key ^= key &>> 29
            at += 8
        }
        return key ^ start.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
    }

    /// Compares more than 8 bytes by words; the last two may overlap.
    @inline(__always)
    private static func areEqual(_ some: UnsafeRawPointer, _ others: UnsafeRawPointer, count: Int) -> Bool {
        func differ(at offset: Int) -> Bool {
            some.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                != others.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        }
        var at = 0
        while at < count - 8 {
            if differ(at: at) { return false }
            at += 8
        }
        return !differ(at: count - 8)
    }

    @inline(__always)
    private static func mixed(_ key: UInt64) -> UInt64 {
        let spread = key &* spread
        return (spread ^ (spread &>> 32)) &* 0xD6E8_FEB8_6659_FD93
    }

    /// Hash and displace: the seed of the key's bucket gives the one slot where the key can be.
    @inline(__always)
    private static func slot(
        _ hash: UInt64,
        _ seeds: UnsafePointer<UInt16>,
        buckets: UInt64,
        slots: UInt64
    ) -> Int {
        let bucket = Int(truncatingIfNeeded: ((hash &>> 32) &* buckets) &>> 32)
        let displaced = (hash ^ (UInt64(seeds[bucket]) &* fold)) &* 0xA076_1D64_78BD_642F
        return Int(truncatingIfNeeded: displaced.multipliedFullWidth(by: slots).high)
    }
}
