internal import VocabularyData

/// What normalization wants to know about scalars, read where it lies in the binary.
///
/// Made by `scripts/unicode_tables.py`, which describes the layout, from the library that defines the encodings which
/// normalize: it knows the scalars of Unicode 9 and takes later ones as they are.
struct NormalizationTable {
    private let properties: UnsafePointer<UInt8>
    private let canonical: SortedRows
    private let compatible: SortedRows
    private let compositions: SortedRows
    private let scalars: UnsafePointer<UInt32>

    /// The properties of one scalar.
    struct Properties {
        fileprivate let bits: UInt8

        /// The place of the canonical combining class among all classes, in their order; 0 for a starter.
        @inline(__always)
        var combiningOrder: UInt8 { bits & 0x3F }

        /// Whether the scalar changes in the form, moves, or may join the scalar before it.
        @inline(__always)
        func mayChange(_ form: NormalForm) -> Bool {
            bits & (form == .composed ? 0x40 : 0x80) != 0
        }
    }

    init() {
        let start: UnsafeRawPointer = sidecar_normalization_start()
        let header = start.assumingMemoryBound(to: UInt32.self)
        func section<Element>(_ field: Int, of type: Element.Type) -> UnsafePointer<Element> {
            (start + Int(header[field])).assumingMemoryBound(to: type)
        }
        properties = section(3, of: UInt8.self)
        canonical = SortedRows(rows: section(4, of: UInt32.self), count: Int(header[0]), width: 2)
        compatible = SortedRows(rows: section(5, of: UInt32.self), count: Int(header[1]), width: 2)
        compositions = SortedRows(rows: section(6, of: UInt32.self), count: Int(header[2]), width: 3)
        scalars = section(7, of: UInt32.self)
    }

    @inline(__always)
    func properties(of scalar: UInt32) -> Properties {
        let block = Int(properties[Int(scalar &>> 7)])
        return Properties(bits: properties[8704 &+ block &* 128 &+ Int(scalar & 127)])
    }

    /// The full decomposition; nil for a scalar that stays, and for Hangul syllables.
    func decomposition(of scalar: UInt32, in form: NormalForm) -> UnsafeBufferPointer<UInt32>? {
        let found =
            form == .compatible ? compatible.row(scalar) ?? canonical.row(scalar) : canonical.row(scalar)
        return found.map { row in
            UnsafeBufferPointer(start: scalars + Int(row[1] &>> 8), count: Int(row[1] & 0xFF))
        }
    }

    /// The scalar that two others join to, other than a Hangul syllable.
    func composition(of first: UInt32, _ second: UInt32) -> UInt32? {
        compositions.row(first, second).map { $0[2] }
    }
}

/// Rows of numbers in the order of their first one or two.
private struct SortedRows {
    let rows: UnsafePointer<UInt32>
    let count: Int
    let width: Int

    /// - Complexity: O(log *n*).
    func row(_ first: UInt32, _ second: UInt32? = nil) -> UnsafePointer<UInt32>? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let row = rows + middle * width
            if row[0] == first, second == nil || row[1] == second { return row }
            if row[0] < first || (row[0] == first && row[1] < second ?? 0) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return nil
    }
}
