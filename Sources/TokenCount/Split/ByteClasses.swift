/// The classes of sixty-four bytes, a bit for each; all bytes of a scalar have its class.
///
/// ASCII and the Cyrillic letters U+0400 to U+045F have one; all other bytes are ``unknown``.
struct ByteClasses {
    let upper: UInt64
    let lower: UInt64
    let digit: UInt64
    /// CR and LF.
    let newline: UInt64
    /// `\s` but CR and LF.
    let blank: UInt64
    /// U+0020, which is a blank too.
    let space: UInt64
    let slash: UInt64
    let apostrophe: UInt64
    let unknown: UInt64

    @inline(__always)
    init(_ planes: BitPlanes) {
        let (b0, b1, b2, b3) = (planes.bit0, planes.bit1, planes.bit2, planes.bit3)
        let (b4, b5, b6) = (planes.bit4, planes.bit5, planes.bit6)
        let ascii = ~planes.bit7
        // The last five bits of "A" to "Z" and of "a" to "z" are 1 to 26.
        let pastZ = b4 & b3 & (b2 | b1 & b0)
        let letter = ascii & b6 & (b4 | b3 | b2 | b1 | b0) & ~pastZ
        // 0x20 to 0x2F.
        let sign = ascii & ~b6 & b5 & ~b4
        space = sign & ~(b3 | b2 | b1 | b0)
        slash = sign & b3 & b2 & b1 & b0
        apostrophe = sign & ~b3 & b2 & b1 & b0
        digit = ascii & ~b6 & b5 & b4 & ~(b3 & (b2 | b1))
        // 0x08 to 0x0F, of which 0x0A and 0x0D end lines; 0x09, 0x0B and 0x0C are blanks.
        let control = ascii & ~b6 & ~b5 & ~b4 & b3
        newline = control & (~b2 & b1 & ~b0 | b2 & ~b1 & b0)
        blank = space | control & (~b2 & b0 | b2 & ~b1 & ~b0)
        let cyrillic = CyrillicLetters(planes)
        upper = letter & ~b5 | cyrillic.upper
        lower = letter & b5 | cyrillic.lower
        unknown = planes.bit7 & ~(cyrillic.upper | cyrillic.lower)
    }
}

/// The letters U+0400 to U+045F among sixty-four bytes, both bytes of each.
private struct CyrillicLetters {
    let upper: UInt64
    let lower: UInt64

    /// D0 80 to D0 AF are upper case, D0 B0 to D1 9F lower case.
    @inline(__always)
    init(_ planes: BitPlanes) {
        let others = planes.bit5 | planes.bit3 | planes.bit2 | planes.bit1
        let lead = planes.bit7 & planes.bit6 & planes.bit4 & ~others
        let afterD0 = (lead & ~planes.bit0) &<< 1
        let afterD1 = (lead & planes.bit0) &<< 1
        let fromB0 = planes.bit5 & planes.bit4
        let upperEnd = afterD0 & ~fromB0
        let lowerEnd = afterD0 & fromB0 | afterD1 & ~planes.bit5
        upper = upperEnd | upperEnd &>> 1
        lower = lowerEnd | lowerEnd &>> 1
    }
}
