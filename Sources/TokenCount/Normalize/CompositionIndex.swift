/// Finds the scalar that two others join to, other than a Hangul syllable: a hash table with open addressing, at
/// most half full.
///
/// Made at first use; takes 16 KB.
struct CompositionIndex: Sendable {
    static let shared = Self()

    /// The two scalars and the joined one, 21 bits each; 0 for a free slot.
    private let slots: [UInt64]

    private init() {
        let rows = NormalizationTable().compositions
        var size = 2
        while size < 2 * rows.count { size *= 2 }
        var slots = [UInt64](repeating: 0, count: size)
        for i in 0..<rows.count {
            let key = Self.key(rows[i][0], rows[i][1])
            var slot = Self.slot(of: key, among: size)
            while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = key << 21 | UInt64(rows[i][2])
        }
        self.slots = slots
    }

    @inline(__always)
    func composition(of first: UInt32, _ second: UInt32) -> UInt32? {
        let key = Self.key(first, second)
        var slot = Self.slot(of: key, among: slots.count)
        while true {
            let found = slots[slot]
            if found &>> 21 == key { return UInt32(truncatingIfNeeded: found & 0x1F_FFFF) }
            if found == 0 { return nil }
            slot = (slot &+ 1) & (slots.count &- 1)
        }
    }

    @inline(__always)
    private static func key(_ first: UInt32, _ second: UInt32) -> UInt64 {
        UInt64(first) &<< 21 | UInt64(second)
    }

    @inline(__always)
    private static func slot(of key: UInt64, among size: Int) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> 40) & (size &- 1)
    }
}
