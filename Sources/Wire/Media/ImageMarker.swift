/// The texts of which one stands in every answer that holds an image.
///
/// `;base64,` of data URLs, `"b64_json"` of OpenAI's image answers, `"inlineData"` of Gemini. They hold no
/// line break, so none lies across the lines of an event stream.
enum ImageMarker: CaseIterable {
    case base64, b64JSON, inlineData

    /// How many bytes of a marker may have come without its being found.
    static let mostCutBytes = 11

    var text: StaticString {
        switch self {
        case .base64: ";base64,"
        case .b64JSON: "\"b64_json\""
        case .inlineData: "\"inlineData\""
        }
    }

    /// Where in the text the two bytes stand by which it is looked for: `64` or `eD`.
    private var pairOffset: Int {
        switch self {
        case .base64: 5
        case .b64JSON: 2
        case .inlineData: 6
        }
    }

    /// Finds the first marker that lies within a span.
    ///
    /// Looks for two bytes beside each other that every marker has and other text seldom, sixteen places at a
    /// time: one place in 2,048 of Base64 has to be looked at closely.
    ///
    /// - Returns: the marker and its offset.
    /// - Complexity: O(*n*), about 0.1 ns a byte.
    static func first(
        in bytes: UnsafeRawBufferPointer,
        from start: Int,
        to end: Int
    ) -> (marker: ImageMarker, offset: Int)? {
        guard let base = bytes.baseAddress else { return nil }
        var position = start
        while position &+ 17 <= end {
            let pairs = pairLanes(base, position)
            if pairs[0] | pairs[1] != 0, let found = look(base, position..<position &+ 16, start..<end) {
                return found
            }
            position &+= 16
        }
        return look(base, position..<end, start..<end)
    }

    /// All bits set in the places of sixteen at which a pair begins.
    @inline(__always)
    private static func pairLanes(_ base: UnsafeRawPointer, _ position: Int) -> SIMD2<UInt64> {
        let first = base.loadUnaligned(fromByteOffset: position, as: SIMD16<UInt8>.self)
        let second = base.loadUnaligned(fromByteOffset: position &+ 1, as: SIMD16<UInt8>.self)
        // The types are spelled out for the reason given at the scan of JSON strings.
        let six: SIMDMask<SIMD16<Int8>> = first .== SIMD16<UInt8>(repeating: UInt8(ascii: "6"))
        let four: SIMDMask<SIMD16<Int8>> = second .== SIMD16<UInt8>(repeating: UInt8(ascii: "4"))
        let lowerE: SIMDMask<SIMD16<Int8>> = first .== SIMD16<UInt8>(repeating: Ascii.lowerE)
        let upperD: SIMDMask<SIMD16<Int8>> = second .== SIMD16<UInt8>(repeating: UInt8(ascii: "D"))
        let pairs: SIMDMask<SIMD16<Int8>> = (six .& four) .| (lowerE .& upperD)
        return unsafeBitCast(pairs, to: SIMD2<UInt64>.self)
    }

    /// Compares the markers at every place of a pair.
    @inline(never)
    private static func look(
        _ base: UnsafeRawPointer,
        _ pairs: Range<Int>,
        _ span: Range<Int>
    ) -> (marker: ImageMarker, offset: Int)? {
        for pair in pairs where pair < span.upperBound {
            let first = byte(base, pair)
            guard first == UInt8(ascii: "6") || first == Ascii.lowerE else { continue }
            for marker in allCases where marker.stands(at: pair - marker.pairOffset, base, span) {
                return (marker, pair - marker.pairOffset)
            }
        }
        return nil
    }

    private func stands(at offset: Int, _ base: UnsafeRawPointer, _ span: Range<Int>) -> Bool {
        guard offset >= span.lowerBound, offset + text.utf8CodeUnitCount <= span.upperBound else {
            return false
        }
        for place in 0..<text.utf8CodeUnitCount where byte(base, offset + place) != text.utf8Start[place] {
            return false
        }
        return true
    }
}
