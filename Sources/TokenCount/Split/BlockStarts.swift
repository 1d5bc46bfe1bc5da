/// The pieces that start in sixty-four bytes of a text, as far as classes of bytes tell.
struct BlockStarts {
    /// A bit for each byte that a piece starts with, but for the first of all.
    let bits: UInt64
    /// Whether the piece after the last start must be looked at one scalar at a time.
    let isCut: Bool

    /// How many bytes may be read from any start on.
    static let readable = 32

    /// Nothing is known.
    static let none = BlockStarts(0, unsure: 1)

    /// - Parameters:
    ///   - starts: may be wrong from one byte before the first unsure one on, and for the last byte.
    ///   - unsure: bytes that a rule cannot judge by the classes around them.
    @inline(__always)
    init(_ starts: UInt64, unsure: UInt64) {
        let firstUnsure = unsure & (0 &- unsure)
        bits = starts & ((firstUnsure &- 1) &>> 1) & ~1
        isCut = unsure != 0 || bits == 0
    }
}

extension ByteClasses {
    @inline(__always)
    var letter: UInt64 { upper | lower }

    /// `\s`.
    @inline(__always)
    var white: UInt64 { blank | newline }

    /// `[^\s\p{L}\p{N}]`.
    @inline(__always)
    var symbol: UInt64 { ~(letter | digit | white | unknown) }

    /// The first byte of each run.
    @inline(__always)
    static func first(of runs: UInt64) -> UInt64 {
        runs & ~(runs &<< 1)
    }

    /// The last byte of each run.
    @inline(__always)
    static func last(of runs: UInt64) -> UInt64 {
        runs & ~(runs &>> 1)
    }

    /// Every third digit of each run from the first on.
    @inline(__always)
    var digitGroups: UInt64 {
        let fourth = digit & digit &<< 1 & digit &<< 2 & digit &<< 3
        var starts: UInt64 = 0
        var next = Self.first(of: digit)
        while next != 0 {
            starts |= next
            next = next &<< 3 & fourth
        }
        return starts
    }

    /// Starts by `\s*[\r\n]+|\s+(?!\S)`, and where a word takes the blank before it; line ends that symbols take are
    /// none.
    ///
    /// A blank behind a line end starts a piece unless another line end follows in the same whitespace; if one may, the
    /// blank is unsure.
    @inline(__always)
    var whitespaceStarts: (starts: UInt64, unsure: UInt64) {
        let indent = blank & newline &<< 1
        // Adding carries the first byte of a run to the byte behind it.
        let (sum, overflow) = indent.addingReportingOverflow(blank)
        let isFollowed = overflow || sum & ~blank & (newline | unknown) != 0
        let taken = newline & symbol &<< 1
        return (Self.first(of: white) & ~taken | indent | blank & ~(white &>> 1), isFollowed ? indent : 0)
    }
}

extension ClassifiedText {
    /// Whether a block may be read, with what follows it, and can say something: the first eight bytes must be sure.
    @inline(__always)
    func hasBlock(at start: Int) -> Bool {
        guard start &+ BitPlanes.width &+ BlockStarts.readable <= count else { return false }
        let word = UnsafeRawPointer(bytes + start).loadUnaligned(as: UInt64.self)
        // The first bytes of scalars; those of Cyrillic letters are 0xD0 and 0xD1.
        let leads = word & word &<< 1 & 0x8080_8080_8080_8080
        let others = word &<< 2 | ~(word &<< 3) | word &<< 4 | word &<< 5 | word &<< 6
        return leads & others == 0
    }
}
