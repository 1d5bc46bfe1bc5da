/// How the keys of a vocabulary's tables are hashed, as `scripts/vocabulary_file.py` does.
extension Vocabulary {
    private static let spread: UInt64 = 0x9E37_79B9_7F4A_7C15
    private static let fold: UInt64 = 0xE703_7ED1_A0B4_28DB

    /// The number of three bytes with an index; one more byte follows every list of them.
    @inline(__always)
    static func u24(_ numbers: UnsafePointer<UInt8>, at index: Int) -> UInt32 {
        UnsafeRawPointer(numbers).loadUnaligned(fromByteOffset: 3 &* index, as: UInt32.self) & 0xFF_FFFF
    }

    /// Up to 8 bytes as a little-endian number.
    @inline(__always)
    static func word(_ start: UnsafePointer<UInt8>, count: Int, readable: Int) -> UInt64 {
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

    /// A word of up to 8 bytes with its length in the last byte, unless it fills all of them.
    @inline(__always)
    static func shortKey(_ word: UInt64, count: Int) -> UInt64 {
        word | UInt64(truncatingIfNeeded: count & 7) &<< 56
    }

    /// Folds the whole words from the front, then the last 8 bytes, which may overlap them.
    @inline(__always)
    static func longKey(_ start: UnsafeRawPointer, count: Int) -> UInt64 {
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
    static func areEqual(_ some: UnsafeRawPointer, _ others: UnsafeRawPointer, count: Int) -> Bool {
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
    static func mixed(_ key: UInt64) -> UInt64 {
        let spread = key &* spread
        return (spread ^ (spread &>> 32)) &* 0xD6E8_FEB8_6659_FD93
    }

    /// Hash and displace: the seed of the key's bucket gives the one slot where the key can be.
    @inline(__always)
    static func slot(
        _ hash: UInt64,
        _ seeds: UnsafePointer<UInt16>,
        buckets: UInt32,
        slots: UInt32
    ) -> Int {
        let bucket = Int(truncatingIfNeeded: ((hash &>> 32) &* UInt64(buckets)) &>> 32)
        let displaced = (hash ^ (UInt64(seeds[bucket]) &* fold)) &* 0xA076_1D64_78BD_642F
        return Int(truncatingIfNeeded: displaced.multipliedFullWidth(by: UInt64(slots)).high)
    }
}
