/// Finds the first line feed or carriage return, sixteen bytes at a time.
///
/// - Returns: its offset, or `end` when there is none.
@inline(__always)
func firstLineBreak(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
    var position = start
    while position &+ 16 <= end {
        let block = base.loadUnaligned(fromByteOffset: position, as: SIMD16<UInt8>.self)
        // The types are spelled out for the reason given at the scan of JSON strings.
        let feeds: SIMDMask<SIMD16<Int8>> = block .== SIMD16<UInt8>(repeating: Ascii.lineFeed)
        let returns: SIMDMask<SIMD16<Int8>> = block .== SIMD16<UInt8>(repeating: Ascii.carriageReturn)
        let breaks: SIMDMask<SIMD16<Int8>> = feeds .| returns
        let lanes = unsafeBitCast(breaks, to: SIMD2<UInt64>.self)
        if lanes[0] != 0 { return position &+ lanes[0].trailingZeroBitCount >> 3 }
        if lanes[1] != 0 { return position &+ 8 &+ lanes[1].trailingZeroBitCount >> 3 }
        position &+= 16
    }
    while position < end, !isLineBreak(byte(base, position)) { position &+= 1 }
    return position
}

@inline(__always)
private func isLineBreak(_ byte: UInt8) -> Bool {
    byte == Ascii.lineFeed || byte == Ascii.carriageReturn
}
