/// The byte at an offset; the callers keep the offset within bounds.
@inline(__always)
func byte(_ base: UnsafeRawPointer, _ offset: Int) -> UInt8 {
    base.load(fromByteOffset: offset, as: UInt8.self)
}

/// Finds the first byte of a string's contents that is not plain text: `"`, `\` or a control character.
///
/// Sixteen bytes at a time, then eight, then one. Wider vectors are not faster: they are taken apart lane by
/// lane.
///
/// - Returns: the byte's offset, or `end` when there is none.
/// - Complexity: O(*n*), about 0.1 ns a byte in long strings.
@inline(__always)
func firstSpecial(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
    var position = start
    while position &+ 16 <= end {
        let lanes = specialLanes(base, position)
        if lanes[0] != 0 { return position &+ lanes[0].trailingZeroBitCount >> 3 }
        if lanes[1] != 0 { return position &+ 8 &+ lanes[1].trailingZeroBitCount >> 3 }
        position &+= 16
    }
    while position < end, !isSpecial(byte(base, position)) { position &+= 1 }
    return position
}

/// All bits set in the bytes of sixteen that are special.
@inline(__always)
private func specialLanes(_ base: UnsafeRawPointer, _ position: Int) -> SIMD2<UInt64> {
    let block = base.loadUnaligned(fromByteOffset: position, as: SIMD16<UInt8>.self)
    // With the types spelled out each operator is one instruction. Left to inference, or with a scalar on one
    // side, the generic operators are chosen, which take the vector apart lane by lane.
    let quotes: SIMDMask<SIMD16<Int8>> = block .== SIMD16<UInt8>(repeating: Ascii.quote)
    let backslashes: SIMDMask<SIMD16<Int8>> = block .== SIMD16<UInt8>(repeating: Ascii.backslash)
    let controls: SIMDMask<SIMD16<Int8>> = block .< SIMD16<UInt8>(repeating: Ascii.space)
    let special: SIMDMask<SIMD16<Int8>> = quotes .| backslashes .| controls
    return unsafeBitCast(special, to: SIMD2<UInt64>.self)
}

@inline(__always)
private func isSpecial(_ byte: UInt8) -> Bool {
    byte == Ascii.quote || byte == Ascii.backslash || byte < Ascii.space
}

/// Finds the end of one escape sequence.
///
/// RFC 8259 section 7 lists what may follow the backslash. A lone surrogate is grammatical, so it passes.
///
/// - Parameter start: the offset of the backslash.
/// - Returns: the offset behind the sequence, or -1 when it is none.
@inline(__always)
func endOfEscape(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
    guard start &+ 1 < end else { return -1 }
    switch byte(base, start &+ 1) {
    case Ascii.lowerU:
        guard start &+ 6 <= end, areHexDigits(base, start &+ 2) else { return -1 }
        return start &+ 6
    case Ascii.quote, Ascii.backslash, Ascii.slash, Ascii.lowerB, Ascii.lowerF, Ascii.lowerN, Ascii.lowerR,
        Ascii.lowerT:
        return start &+ 2
    default:
        return -1
    }
}

/// Whether four bytes are hexadecimal digits, all four at once.
///
/// Adding moves a byte's high bit exactly where a bound is passed; the first test rules out bytes whose high
/// bit is set from the start, so no sum carries into its neighbour.
@inline(__always)
private func areHexDigits(_ base: UnsafeRawPointer, _ start: Int) -> Bool {
    let high: UInt32 = 0x8080_8080
    let four = base.loadUnaligned(fromByteOffset: start, as: UInt32.self)
    guard four & high == 0 else { return false }
    let digits = (four &+ 0x5050_5050) & ~(four &+ 0x4646_4646)
    let lower = four | 0x2020_2020
    let letters = (lower &+ 0x1F1F_1F1F) & ~(lower &+ 0x1919_1919)
    return (digits | letters) & high == high
}
