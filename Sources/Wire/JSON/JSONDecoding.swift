extension JSONText {
    /// Appends the decoded text as UTF-8.
    ///
    /// A surrogate without its partner becomes U+FFFD, since UTF-8 cannot carry it. Other bytes that are not
    /// UTF-8 are copied as they are.
    ///
    /// - Complexity: O(*n*); plain stretches are copied whole.
    public func append(to text: inout [UInt8], from document: UnsafeRawBufferPointer) {
        guard hasEscapes else {
            text.append(contentsOf: document[range])
            return
        }
        guard let base = document.baseAddress else { return }
        text.reserveCapacity(text.count + range.count)
        var position = range.lowerBound
        while position < range.upperBound {
            let plainEnd = firstSpecial(base, from: position, to: range.upperBound)
            text.append(contentsOf: document[position..<plainEnd])
            position = plainEnd
            while position < range.upperBound, byte(base, position) == Ascii.backslash {
                position = appendEscape(at: position, to: &text, base)
            }
        }
    }

    /// Decodes one escape sequence.
    ///
    /// - Returns: the offset behind it; behind the whole text when the sequence is cut.
    private func appendEscape(
        at start: Int,
        to text: inout [UInt8],
        _ base: UnsafeRawPointer
    ) -> Int {
        guard endOfEscape(base, from: start, to: range.upperBound) > 0 else { return range.upperBound }
        let letter = byte(base, start + 1)
        guard letter == Ascii.lowerU else {
            text.append(Self.meaning(of: letter))
            return start + 2
        }
        let first = Self.hexValue(base, at: start + 2)
        guard first & 0xFC00 == 0xD800, let second = lowSurrogate(at: start + 6, base) else {
            Self.append(Unicode.Scalar(first) ?? "\u{FFFD}", to: &text)
            return start + 6
        }
        let joined = 0x1_0000 + (first & 0x3FF) << 10 + second & 0x3FF
        Self.append(Unicode.Scalar(joined) ?? "\u{FFFD}", to: &text)
        return start + 12
    }

    private func lowSurrogate(at start: Int, _ base: UnsafeRawPointer) -> UInt32? {
        guard endOfEscape(base, from: start, to: range.upperBound) == start + 6,
            byte(base, start) == Ascii.backslash
        else { return nil }
        let unit = Self.hexValue(base, at: start + 2)
        return unit & 0xFC00 == 0xDC00 ? unit : nil
    }

    private static func meaning(of letter: UInt8) -> UInt8 {
        switch letter {
        case Ascii.lowerB: 0x08
        case Ascii.lowerF: 0x0C
        case Ascii.lowerN: Ascii.lineFeed
        case Ascii.lowerR: Ascii.carriageReturn
        case Ascii.lowerT: Ascii.tab
        default: letter
        }
    }

    /// The value of four characters that are known to be hexadecimal digits.
    private static func hexValue(_ base: UnsafeRawPointer, at start: Int) -> UInt32 {
        var value: UInt32 = 0
        for offset in start..<start + 4 {
            let digit = UInt32(byte(base, offset))
            value = value << 4 | (digit <= UInt32(Ascii.nine) ? digit & 0xF : digit & 0xF + 9)
        }
        return value
    }

    private static func append(_ scalar: Unicode.Scalar, to text: inout [UInt8]) {
        if scalar.isASCII {
            text.append(UInt8(truncatingIfNeeded: scalar.value))
        } else {
            text.append(contentsOf: String(scalar).utf8)
        }
    }
}
