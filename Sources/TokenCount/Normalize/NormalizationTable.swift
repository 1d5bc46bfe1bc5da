internal import VocabularyData

/// What normalization wants to know about scalars, read where it lies in the binary.
///
/// Made by `scripts/unicode_tables.py`, which describes the layout, from the library that defines the encodings which
/// normalize: it knows the scalars of Unicode 9 and takes later ones as they are.
struct NormalizationTable {
    /// Each with the place of its canonical decomposition; without Hangul syllables.
    let canonical: NumberRows
    /// Each with the place of its compatibility decomposition, where that is another one.
    let compatible: NumberRows
    /// Two scalars and the one that they join to; without Hangul syllables.
    let compositions: NumberRows
    private let properties: UnsafePointer<UInt8>
    private let scalars: UnsafePointer<UInt32>

    init() {
        let start: UnsafeRawPointer = sidecar_normalization_start()
        let header = start.assumingMemoryBound(to: UInt32.self)
        func section<Element>(_ field: Int, of type: Element.Type) -> UnsafePointer<Element> {
            (start + Int(header[field])).assumingMemoryBound(to: type)
        }
        properties = section(3, of: UInt8.self)
        canonical = NumberRows(start: section(4, of: UInt32.self), count: Int(header[0]), width: 2)
        compatible = NumberRows(start: section(5, of: UInt32.self), count: Int(header[1]), width: 2)
        compositions = NumberRows(start: section(6, of: UInt32.self), count: Int(header[2]), width: 3)
        scalars = section(7, of: UInt32.self)
    }

    @inline(__always)
    func unit(_ scalar: UInt32, in form: NormalForm) -> DecomposedScalar {
        let block = Int(properties[Int(scalar &>> 7)])
        let bits = properties[8704 &+ block &* 128 &+ Int(scalar & 127)]
        let mayChange = bits & (form == .composed ? 0x40 : 0x80) != 0
        return DecomposedScalar(scalar, order: bits & 0x3F, mayChange: mayChange)
    }

    /// The scalars at a place that a row of decompositions tells.
    @inline(__always)
    func scalars(at place: UInt32) -> UnsafeBufferPointer<UInt32> {
        UnsafeBufferPointer(start: scalars + Int(place &>> 8), count: Int(place & 0xFF))
    }
}

/// Rows of numbers, all of one width.
struct NumberRows {
    fileprivate let start: UnsafePointer<UInt32>
    let count: Int
    fileprivate let width: Int

    subscript(row: Int) -> UnsafeBufferPointer<UInt32> {
        UnsafeBufferPointer(start: start + row * width, count: width)
    }
}
