extension JSONScanner {
    /// Skips the white space of RFC 8259 section 2.
    @inline(__always)
    func skipSpace(from start: Int) -> Int {
        guard start < count, byte(base, start) <= Ascii.space else { return start }
        return endOfSpace(from: start)
    }

    /// Eight blanks at a time, for documents that were indented.
    @inline(never)
    private func endOfSpace(from start: Int) -> Int {
        let eightBlanks: UInt64 = 0x2020_2020_2020_2020
        var at = start
        while at < count {
            switch byte(base, at) {
            case Ascii.space
            where at &+ 8 <= count
                && base.loadUnaligned(fromByteOffset: at, as: UInt64.self) == eightBlanks:
                at &+= 8
            case Ascii.space, Ascii.lineFeed, Ascii.carriageReturn, Ascii.tab: at &+= 1
            default: return at
            }
        }
        return at
    }

    /// Finds the end of a string.
    ///
    /// - Parameter start: the offset behind the opening quote.
    /// - Returns: the offset behind the closing quote, or -1, and whether there are escapes.
    @inline(__always)
    func endOfString(from start: Int) -> (end: Int, hasEscapes: Bool) {
        let plainEnd = firstSpecial(base, from: start, to: count)
        guard plainEnd < count else { return (-1, false) }
        if byte(base, plainEnd) == Ascii.quote { return (plainEnd &+ 1, false) }
        return (endOfEscapedString(from: plainEnd), true)
    }

    /// Finds the end of a string from its first backslash or control character on.
    @inline(never)
    private func endOfEscapedString(from start: Int) -> Int {
        var at = start
        while at < count {
            let special = byte(base, at)
            if special == Ascii.quote { return at &+ 1 }
            guard special == Ascii.backslash else { return -1 }
            // Escapes come in rows: a text in another script is often nothing else.
            repeat {
                at = endOfEscape(base, from: at, to: count)
                guard at >= 0 else { return -1 }
            } while at < count && byte(base, at) == Ascii.backslash
            at = firstSpecial(base, from: at, to: count)
        }
        return -1
    }

    /// - Returns: the offset behind the number or literal at `start`, or -1.
    @inline(__always)
    func endOfScalar(from start: Int, _ first: UInt8) -> Int {
        switch first {
        case Ascii.lowerT: endOfLiteral("true", from: start)
        case Ascii.lowerF: endOfLiteral("false", from: start)
        case Ascii.lowerN: endOfLiteral("null", from: start)
        default: endOfNumber(from: start)
        }
    }

    @inline(__always)
    private func endOfLiteral(_ literal: StaticString, from start: Int) -> Int {
        let length = literal.utf8CodeUnitCount
        guard start &+ length <= count else { return -1 }
        for offset in 0..<length where byte(base, start &+ offset) != literal.utf8Start[offset] { return -1 }
        return start &+ length
    }

    /// RFC 8259 section 6: no leading zeros, no leading plus, digits on both sides of the point.
    private func endOfNumber(from start: Int) -> Int {
        var at = start
        if byte(base, at) == Ascii.minus { at &+= 1 }
        let whole = endOfDigits(from: at)
        guard whole > at, whole == at &+ 1 || byte(base, at) != Ascii.zero else { return -1 }
        at = whole
        if at < count, byte(base, at) == Ascii.dot {
            let fraction = endOfDigits(from: at &+ 1)
            guard fraction > at &+ 1 else { return -1 }
            at = fraction
        }
        guard at < count, byte(base, at) | 0x20 == Ascii.lowerE else { return at }
        at &+= 1
        if at < count, byte(base, at) == Ascii.plus || byte(base, at) == Ascii.minus { at &+= 1 }
        let exponent = endOfDigits(from: at)
        return exponent > at ? exponent : -1
    }

    @inline(__always)
    private func endOfDigits(from start: Int) -> Int {
        var at = start
        while at < count, byte(base, at) &- Ascii.zero <= 9 { at &+= 1 }
        return at
    }
}
