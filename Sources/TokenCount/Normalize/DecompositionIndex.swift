/// Finds the full decomposition of a scalar by its number.
///
/// Made at first use, in well under a millisecond; takes at most 128 KB.
struct DecompositionIndex: Sendable {
    static let composed = Self { [$0.canonical] }
    /// A compatibility decomposition comes before a canonical one.
    static let compatible = Self { [$0.canonical, $0.compatible] }

    /// The number of the block for each 128 scalars; the first block is empty.
    private let blocks: [UInt16]
    /// A place, never 0, for each scalar of a block that has a decomposition.
    private let places: [UInt32]

    private init(_ rows: (NormalizationTable) -> [NumberRows]) {
        var blocks = [UInt16](repeating: 0, count: 0x11_0000 / 128)
        var places = [UInt32](repeating: 0, count: 128)
        for rows in rows(NormalizationTable()) {
            for i in 0..<rows.count {
                let scalar = Int(rows[i][0])
                if blocks[scalar / 128] == 0 {
                    blocks[scalar / 128] = UInt16(places.count / 128)
                    places += repeatElement(0, count: 128)
                }
                places[Int(blocks[scalar / 128]) * 128 + scalar % 128] = rows[i][1]
            }
        }
        self.blocks = blocks
        self.places = places
    }

    /// Where the table has the decomposition; nil for a scalar that stays, and for Hangul syllables.
    @inline(__always)
    func place(of scalar: UInt32) -> UInt32? {
        let block = Int(blocks[Int(scalar &>> 7)])
        let place = places[block &* 128 &+ Int(scalar & 127)]
        return place == 0 ? nil : place
    }
}
