internal import Synchronization
internal import VocabularyData

/// The tokens of one encoding and their ranks, read where they lie in the binary.
///
/// The file is made by `scripts/vocabulary.py`; `scripts/vocabulary_file.py` describes its layout: two perfect hash
/// tables, so that a look-up is one probe whether it hits or misses, the ranks of all pairs of bytes, the place of
/// each token's bytes by rank, and the joints at which a piece cannot be cut. Opening it costs nothing.
///
/// The tables hold every token that a text can give, and no other: merging never gives a token that merging its own
/// bytes does not give, and the script leaves those out unless the reference looks whole pieces up. So looking a
/// piece up first is right in every encoding.
struct Vocabulary: @unchecked Sendable {
    // Unchecked: all pointers lead into a read-only section of the binary, which nothing writes or unloads.

    /// Stands for "no such token".
    static let none = UInt32.max

    /// What merging starts from.
    enum Unit: Sendable {
        case byte
        /// Scalars, and the bytes of those that are no token.
        case scalar
    }

    private enum Name: Int, CaseIterable {
        case o200kBase, cl100kBase, llama3, p50kBase, qwen2, gemma, claudeLegacy
    }

    /// Length in bytes of the longest token that can be found.
    let longest: Int
    let unit: Unit
    private let name: Name

    private let header: UnsafePointer<UInt32>
    private let limit: UInt32
    private let shortBuckets: UInt32
    private let shortSlots: UInt32
    private let shortSeeds: UnsafePointer<UInt16>
    private let shortKeys: UnsafePointer<UInt64>
    /// Length and rank of each slot in three bytes.
    private let shortValues: UnsafePointer<UInt8>
    private let longBuckets: UInt32
    private let longSlots: UInt32
    private let longSeeds: UnsafePointer<UInt16>
    /// Fingerprint and rank of each slot.
    private let longValues: UnsafePointer<UInt32>
    private let pairs: UnsafePointer<UInt16>
    private let pairRanks: UnsafePointer<UInt32>
    /// Three bytes a rank.
    private let places: UnsafePointer<UInt8>
    private let texts: UnsafePointer<UInt8>

    /// Opens the vocabulary that starts at an address.
    ///
    /// - Parameter limit: how many of the first ranks belong to the encoding; nil for all.
    /// - Precondition: the file's magic number is there; what the binary carries is not checked further.
    private init(_ name: Name, at start: UnsafeRawPointer, limit: UInt32? = nil, unit: Unit = .byte) {
        let header = start.assumingMemoryBound(to: UInt32.self)
        precondition(header[0] == 0x3356_4353, "not a vocabulary of this version")
        func section<Element>(_ field: Int, of type: Element.Type) -> UnsafePointer<Element> {
            (start + Int(header[field])).assumingMemoryBound(to: type)
        }
        self.header = header
        self.limit = limit ?? header[1]
        self.unit = unit
        self.name = name
        longest = Int(header[2])
        shortBuckets = header[3]
        shortSlots = header[4]
        longBuckets = header[5]
        longSlots = header[6]
        shortSeeds = section(7, of: UInt16.self)
        shortKeys = section(8, of: UInt64.self)
        shortValues = section(9, of: UInt8.self)
        longSeeds = section(10, of: UInt16.self)
        longValues = section(11, of: UInt32.self)
        pairs = section(12, of: UInt16.self)
        pairRanks = section(13, of: UInt32.self)
        places = section(14, of: UInt8.self)
        texts = section(15, of: UInt8.self)
    }

    /// Number of ranks; ranks are 0 ..< this, though some may have no token.
    var tokens: Int { Int(limit) }

    /// Where a piece can be cut before it is merged.
    var joints: Joints {
        let table = UnsafeRawPointer(header) + Int(header[16])
        return Joints(table.assumingMemoryBound(to: UInt8.self), bits: header[17])
    }

    /// Length in bytes of the shortest token that only a whole piece can be, since merging does not give it.
    var shortestUnmerged: Int { Int(header[18]) }

    /// What counting remembers of the pieces that it met.
    var caches: PieceCaches { Self.caches[name.rawValue] }

    /// Which pairs of a very long piece are merged before all else; made when first asked for.
    var earlyMerges: EarlyMerges {
        let made = Self.earlyMerges[name.rawValue]
        return made.merges.load() ?? made.merges.storeIfNil(EarlyMerges(self))
    }

    private static let caches = Name.allCases.map { _ in PieceCaches() }
    private static let earlyMerges = Name.allCases.map { _ in MadeOnce() }

    private final class MadeOnce: Sendable {
        let merges = AtomicLazyReference<EarlyMerges>()
    }

    static let o200kBase = Vocabulary(.o200kBase, at: sidecar_vocabulary_o200k_base_start())
    /// The first tokens of Llama 3, which was trained on from them.
    static let cl100kBase = Vocabulary(.cl100kBase, at: sidecar_vocabulary_llama3_start(), limit: 100_256)
    static let llama3 = Vocabulary(.llama3, at: sidecar_vocabulary_llama3_start())
    static let p50kBase = Vocabulary(.p50kBase, at: sidecar_vocabulary_p50k_base_start())
    static let qwen2 = Vocabulary(.qwen2, at: sidecar_vocabulary_qwen2_start())
    static let gemma = Vocabulary(.gemma, at: sidecar_vocabulary_gemma_start(), unit: .scalar)
    static let claudeLegacy = Vocabulary(.claudeLegacy, at: sidecar_vocabulary_claude_legacy_start())
}

extension Vocabulary {
    private static let rankBits: UInt32 = 18
    private static let rankMask: UInt32 = (1 << rankBits) - 1
    private static let fingerprintMask: UInt32 = (1 << 14) - 1
    private static let noPlace: UInt32 = 0xFF_FFFF
    private static let isText: UInt32 = 0x80_0000

    /// The bytes of the token of a rank; nil for a rank that has none.
    func bytes(of rank: Int) -> UnsafeBufferPointer<UInt8>? {
        guard rank >= 0, rank < tokens else { return nil }
        let place = Self.u24(places, at: rank)
        guard place != Self.noPlace else { return nil }
        guard place & Self.isText == 0 else { return text(at: Int(place ^ Self.isText)) }
        let slot = Int(place)
        // A short key is its own bytes, the first one lowest.
        let start = UnsafeRawPointer(shortKeys + slot).assumingMemoryBound(to: UInt8.self)
        let count = Int(Self.u24(shortValues, at: slot) &>> Self.rankBits)
        return UnsafeBufferPointer(start: start, count: count)
    }

    /// Calls for every token with its rank, in no certain order, with those too that no text gives.
    @inline(__always)
    func forEachToken(_ body: (UnsafeBufferPointer<UInt8>, UInt32) -> Void) {
        for slot in 0..<Int(shortSlots) {
            let value = Self.u24(shortValues, at: slot)
            let rank = ours(value & Self.rankMask)
            guard value != 0, rank != Self.none else { continue }
            let start = UnsafeRawPointer(shortKeys + slot).assumingMemoryBound(to: UInt8.self)
            body(UnsafeBufferPointer(start: start, count: Int(value &>> Self.rankBits)), rank)
        }
        for rank in 0..<tokens {
            let place = Self.u24(places, at: rank)
            guard place != Self.noPlace, place & Self.isText != 0 else { continue }
            body(text(at: Int(place ^ Self.isText)), UInt32(truncatingIfNeeded: rank))
        }
    }

    @inline(__always)
    private func text(at offset: Int) -> UnsafeBufferPointer<UInt8> {
        let start = texts + offset
        guard start[0] == 0 else { return UnsafeBufferPointer(start: start + 1, count: Int(start[0])) }
        return UnsafeBufferPointer(start: start + 3, count: Int(start[1]) | Int(start[2]) &<< 8)
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
        return longRank(start, count: count)
    }

    /// The rank of two bytes, or ``none``; quicker than ``rank(_:count:readable:)``.
    @inline(__always)
    func pairRank(_ first: UInt8, _ second: UInt8) -> UInt32 {
        ours(pairRanks[Int(pairs[Int(first) &<< 8 | Int(second)])])
    }

    /// The end of the scalar that starts at an offset if it is a token, else of its first byte.
    @inline(__always)
    func scalarEnd(in piece: UnsafePointer<UInt8>, from start: Int, count: Int, readable: Int) -> Int {
        let first = piece[start]
        // A byte within a scalar counts as none: then the first one was no token either.
        guard first >= 0xC0 else { return start &+ 1 }
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard start &+ length <= count else { return start &+ 1 }
        let rank = rank(piece + start, count: length, readable: readable &- start)
        return rank == Self.none ? start &+ 1 : start &+ length
    }

    @inline(__always)
    private func ours(_ rank: UInt32) -> UInt32 {
        rank < limit ? rank : Self.none
    }

    @inline(__always)
    private func shortRank(_ word: UInt64, count: Int) -> UInt32 {
        let key = Self.shortKey(word, count: count)
        let hash = Self.mixed(key)
        let slot = Self.slot(hash, shortSeeds, buckets: shortBuckets, slots: shortSlots)
        let value = Self.u24(shortValues, at: slot)
        // The length is compared too: eight bytes may end as a shorter key does.
        guard shortKeys[slot] == key, value &>> Self.rankBits == UInt32(truncatingIfNeeded: count) else {
            return Self.none
        }
        return ours(value & Self.rankMask)
    }

    /// The rank of up to eight bytes, or ``none``, without a branch: of many look-ups, none waits for another.
    ///
    /// - Parameter start: eight bytes may be read.
    @inline(__always)
    func shortRankUnbranched(_ start: UnsafePointer<UInt8>, count: Int) -> UInt32 {
        let word = Self.word(start, count: count, readable: 8)
        let key = Self.shortKey(word, count: count)
        let slot = Self.slot(Self.mixed(key), shortSeeds, buckets: shortBuckets, slots: shortSlots)
        let value = Self.u24(shortValues, at: slot)
        let rank = value & Self.rankMask
        let difference =
            (shortKeys[slot] ^ key) | UInt64(value &>> Self.rankBits ^ UInt32(truncatingIfNeeded: count))
        let differs = UInt32(truncatingIfNeeded: (difference | (0 &- difference)) &>> 63)
        let isForeign = (limit &- 1 &- rank) &>> 31
        return rank | (0 &- (differs | isForeign))
    }

    /// The rank of more than eight bytes, or ``none``.
    @inline(never)
    func longRank(_ start: UnsafePointer<UInt8>, count: Int) -> UInt32 {
        guard count <= longest else { return Self.none }
        let hash = Self.mixed(Self.longKey(UnsafeRawPointer(start), count: count))
        let value = longValues[Self.slot(hash, longSeeds, buckets: longBuckets, slots: longSlots)]
        let fingerprint = UInt32(truncatingIfNeeded: hash) & Self.fingerprintMask
        guard value &>> Self.rankBits == fingerprint else { return Self.none }
        let rank = value & Self.rankMask
        let token = text(at: Int(Self.u24(places, at: Int(rank)) ^ Self.isText))
        guard token.count == count, let known = token.baseAddress else { return Self.none }
        return Self.areEqual(UnsafeRawPointer(known), UnsafeRawPointer(start), count: count)
            ? ours(rank) : Self.none
    }
}
