/// The data URLs in one string of an answer, one after another.
struct AnswerText {
    private let text: JSONText
    private let mayBeWhole: Bool
    private let document: UnsafeRawBufferPointer
    /// What is not looked through yet.
    private var rest: Range<Int>

    init(_ text: JSONText, _ mayBeWhole: Bool, _ document: UnsafeRawBufferPointer) {
        self.text = text
        self.mayBeWhole = mayBeWhole
        self.document = document
        rest = text.range
    }

    /// The next one.
    ///
    /// - Returns: nil when there are no more.
    mutating func next() -> AnswerImage? {
        while rest.count > Self.leastBytes,
            let (marker, offset) = ImageMarker.first(in: document, from: rest.lowerBound, to: rest.upperBound)
        {
            let before = rest.lowerBound
            let data = offset + marker.text.utf8CodeUnitCount
            let end = endOfURL(from: data)
            rest = end..<rest.upperBound
            guard marker == .base64 else { continue }
            let start = startOfURL(from: offset, downTo: before)
            if let image = image(start..<end) { return image }
        }
        return nil
    }

    /// The size of `data:;base64,`, the shortest data URL.
    private static let leastBytes = 13

    private func image(_ range: Range<Int>) -> AnswerImage? {
        let span = JSONText(range: range, hasEscapes: text.hasEscapes)
        guard let url = try? DataURL(span, in: document) else { return nil }
        let slot = AnswerSlot.shared(.text(range))
        if range == text.range {
            return mayBeWhole ? AnswerImage(kind: .dataURL, content: .dataURL(url), slot: slot) : nil
        }
        guard url.mediaType.starts(with: "image/"), isInMarkdown(range) else { return nil }
        return AnswerImage(kind: .markdown, content: .dataURL(url), slot: slot)
    }

    /// Goes back from `;base64,` to where the string begins or something stands that no head of a data URL
    /// holds.
    private func startOfURL(from offset: Int, downTo limit: Int) -> Int {
        var start = offset
        while start > limit, !Self.isDelimiter(document[start - 1]) { start -= 1 }
        return start
    }

    /// Whether `](` or `](<` stands before, and something behind that ends the destination.
    ///
    /// CommonMark 0.31, section 6.6.
    private func isInMarkdown(_ range: Range<Int>) -> Bool {
        guard range.upperBound < text.range.upperBound else { return false }
        let before = document[text.range.lowerBound..<range.lowerBound]
        let isBracketed = before.last == UInt8(ascii: "<")
        let end = document[range.upperBound]
        guard (end == UInt8(ascii: ">")) == isBracketed else { return false }
        return (isBracketed ? before.dropLast() : before).suffix(2).elementsEqual("](".utf8)
    }

    /// Goes on to where the string ends or something stands that is not in a destination.
    private func endOfURL(from start: Int) -> Int {
        guard let base = document.baseAddress else { return start }
        var position = start
        let end = text.range.upperBound
        while position &+ 16 <= end {
            let lanes = Self.delimiterLanes(base, position)
            if lanes[0] != 0 { return position &+ lanes[0].trailingZeroBitCount >> 3 }
            if lanes[1] != 0 { return position &+ 8 &+ lanes[1].trailingZeroBitCount >> 3 }
            position &+= 16
        }
        while position < end, !Self.isDelimiter(byte(base, position)) { position &+= 1 }
        return position
    }

    /// All bits set in the bytes of sixteen that are delimiters.
    @inline(__always)
    private static func delimiterLanes(_ base: UnsafeRawPointer, _ position: Int) -> SIMD2<UInt64> {
        let block = base.loadUnaligned(fromByteOffset: position, as: SIMD16<UInt8>.self)
        // The types are spelled out for the reason given at the scan of JSON strings. `(` and `)` differ in one
        // bit, `<` and `>` too.
        let round: SIMDMask<SIMD16<Int8>> =
            (block | SIMD16<UInt8>(repeating: 1)) .== SIMD16<UInt8>(repeating: UInt8(ascii: ")"))
        let pointed: SIMDMask<SIMD16<Int8>> =
            (block | SIMD16<UInt8>(repeating: 2)) .== SIMD16<UInt8>(repeating: UInt8(ascii: ">"))
        let blanks: SIMDMask<SIMD16<Int8>> = block .== SIMD16<UInt8>(repeating: Ascii.space)
        let delimiters: SIMDMask<SIMD16<Int8>> = round .| pointed .| blanks
        return unsafeBitCast(delimiters, to: SIMD2<UInt64>.self)
    }

    @inline(__always)
    private static func isDelimiter(_ byte: UInt8) -> Bool {
        byte | 1 == UInt8(ascii: ")") || byte | 2 == UInt8(ascii: ">") || byte == Ascii.space
    }
}
