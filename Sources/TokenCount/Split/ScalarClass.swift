internal import VocabularyData

/// What the splitting patterns want to know about a scalar.
///
/// Fixed at Unicode 16, which the reference implementation behaves as; the standard library's tables are newer
/// and would take scalars for letters that the reference does not. The values are those of the table file.
struct ScalarClass: Equatable {
    var rawValue: UInt8

    static var other: Self { Self(rawValue: 0) }
    /// `\s` but CR and LF.
    static var space: Self { Self(rawValue: 1) }
    static var newline: Self { Self(rawValue: 2) }
    /// `\p{Lu}` and `\p{Lt}`.
    static var upper: Self { Self(rawValue: 3) }
    static var lower: Self { Self(rawValue: 4) }
    /// `\p{Lm}` and `\p{Lo}`, letters without case.
    static var letter: Self { Self(rawValue: 5) }
    static var mark: Self { Self(rawValue: 6) }
    static var number: Self { Self(rawValue: 7) }
    /// Not a class: the first byte of a scalar beyond ASCII.
    static var multibyte: Self { Self(rawValue: 8) }
    /// Not a class: where the text is over.
    static var end: Self { Self(rawValue: 9) }

    @inline(__always)
    func isAny(of set: ScalarClassSet) -> Bool {
        (set.bits &>> UInt16(rawValue)) & 1 == 1
    }
}

/// Several classes, asked for in one instruction.
struct ScalarClassSet {
    var bits: UInt16

    init(_ classes: ScalarClass...) {
        bits = classes.reduce(0) { $0 | 1 << UInt16($1.rawValue) }
    }

    private init(bits: UInt16) {
        self.bits = bits
    }

    /// `\p{L}`.
    static var letters: Self { Self(bits: 0b0011_1000) }
    /// `\p{N}`.
    static var numbers: Self { Self(bits: 0b1000_0000) }
    static var lettersAndMarks: Self { Self(bits: 0b0111_1000) }
    /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`.
    static var upperRun: Self { Self(bits: 0b0110_1000) }
    /// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`.
    static var lowerRun: Self { Self(bits: 0b0111_0000) }
    /// `[\p{Lm}\p{Lo}\p{M}]`, what both runs take.
    static var eitherRun: Self { Self(bits: 0b0110_0000) }
    /// `[^\s\p{L}\p{N}]`.
    static var symbols: Self { Self(bits: 0b0100_0001) }
    /// `\s`.
    static var whitespace: Self { Self(bits: 0b0000_0110) }
    /// `[^\r\n\p{L}\p{N}]`, what may stand before a word in its piece.
    static var prefixes: Self { Self(bits: 0b0100_0011) }
}

/// Valid UTF-8 with the class of each scalar.
///
/// Borrows: it must not outlive the bytes.
struct ClassifiedText {
    let bytes: UnsafePointer<UInt8>
    let count: Int
    private let table: UnsafePointer<UInt8>

    /// - Precondition: the bytes are valid UTF-8.
    init(_ bytes: UnsafePointer<UInt8>, count: Int) {
        self.bytes = bytes
        self.count = count
        table = sidecar_unicode_classes_start().assumingMemoryBound(to: UInt8.self)
    }

    /// The class of a byte that stands alone, ``ScalarClass/multibyte`` for any from 0x80.
    @inline(__always)
    func byteClass(_ byte: UInt8) -> ScalarClass {
        ScalarClass(rawValue: table[Int(byte)])
    }

    /// The class of the scalar that starts at an offset and the offset after it.
    @inline(__always)
    func scalar(at offset: Int) -> (class: ScalarClass, end: Int) {
        guard offset < count else { return (.end, offset) }
        let first = byteClass(bytes[offset])
        return first == .multibyte ? wideScalar(at: offset) : (first, offset &+ 1)
    }

    @inline(__always)
    private func wideScalar(at offset: Int) -> (class: ScalarClass, end: Int) {
        let first = UInt32(bytes[offset])
        let second = UInt32(bytes[offset &+ 1]) & 0x3F
        if first < 0xE0 {
            return (scalarClass((first & 0x1F) &<< 6 | second), offset &+ 2)
        }
        let third = second &<< 6 | UInt32(bytes[offset &+ 2]) & 0x3F
        if first < 0xF0 {
            return (scalarClass((first & 0x0F) &<< 12 | third), offset &+ 3)
        }
        let fourth = third &<< 6 | UInt32(bytes[offset &+ 3]) & 0x3F
        return (scalarClass((first & 0x07) &<< 18 | fourth), offset &+ 4)
    }

    /// The end of the run of scalars U+4E00 to U+9FFF, all of which are letters without case: Chinese characters.
    ///
    /// Asks for no scalar's class.
    @inline(__always)
    func chineseEnd(from start: Int) -> Int {
        var end = start
        while end &+ 3 <= count {
            let firstTwo = UInt16(bytes[end]) &<< 8 | UInt16(bytes[end &+ 1])
            guard firstTwo >= 0xE4B8, firstTwo < 0xEA00 else { break }
            end &+= 3
        }
        return end
    }

    /// The file holds 256 classes by byte, a block number for each 128 scalars and the distinct blocks.
    @inline(__always)
    private func scalarClass(_ scalar: UInt32) -> ScalarClass {
        let block = Int(table[256 &+ Int(scalar &>> 7)])
        return ScalarClass(rawValue: table[256 &+ 8704 &+ block &* 128 &+ Int(scalar & 127)])
    }
}
