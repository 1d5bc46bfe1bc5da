extension JSONScanner {
    /// Skips one value of any kind, checking its grammar.
    ///
    /// Iterative: which container each level is stands in one bit of a word, so that a deep document costs no
    /// stack.
    ///
    /// - Returns: where the value lies; empty when it is malformed.
    @discardableResult
    mutating func skipValue() -> Range<Int> {
        let start = position
        let end = isBroken ? -1 : endOfValue(from: start)
        guard end >= 0 else {
            fail()
            return start..<start
        }
        position = end
        return start..<end
    }

    /// Skips one value and tells whether it is anything but `null`, `false`, `""`, `[]` or `{}`.
    @inline(__always)
    mutating func skipFilled() -> Bool {
        let first = next
        let range = skipValue()
        switch first {
        case Ascii.lowerN, Ascii.lowerF: return false
        case Ascii.quote, Ascii.openBracket, Ascii.openBrace: return range.count > 2
        default: return true
        }
    }

    /// - Returns: the offset behind the value that starts at `start`, or -1.
    private func endOfValue(from start: Int) -> Int {
        guard start < count else { return -1 }
        switch byte(base, start) {
        case Ascii.openBrace, Ascii.openBracket: return endOfContainer(from: start)
        default: return endOfPlainValue(from: start)
        }
    }

    @inline(__always)
    private func endOfPlainValue(from start: Int) -> Int {
        guard start < count else { return -1 }
        let first = byte(base, start)
        return first == Ascii.quote ? endOfString(from: start &+ 1).end : endOfScalar(from: start, first)
    }

    private func endOfContainer(from start: Int) -> Int {
        var at = start
        var level = depth
        /// Bit 0 is the innermost container; a set bit is an object.
        var kinds: UInt64 = 0
        repeat {
            // A value is due at `at`.
            guard at < count else { return -1 }
            let first = byte(base, at)
            if first == Ascii.openBrace || first == Ascii.openBracket {
                let inside = openContainer(at, first, &level, &kinds)
                at = inside.at
                guard at >= 0 else { return -1 }
                if !inside.isEmpty { continue }
            } else {
                at = endOfPlainValue(from: at)
                guard at >= 0 else { return -1 }
                at = skipSpace(from: at)
            }
            at = closeContainers(from: at, &level, &kinds)
            guard at >= 0 else { return -1 }
        } while level > depth
        return at
    }

    /// - Returns: the offset of the first value inside, or of the closing bracket, or -1.
    @inline(__always)
    private func openContainer(
        _ start: Int,
        _ bracket: UInt8,
        _ level: inout Int,
        _ kinds: inout UInt64
    ) -> (at: Int, isEmpty: Bool) {
        let isObject = bracket == Ascii.openBrace
        level &+= 1
        kinds = kinds &<< 1 | (isObject ? 1 : 0)
        let at = skipSpace(from: start &+ 1)
        guard level <= Self.maxDepth, at < count else { return (-1, false) }
        if byte(base, at) == (isObject ? Ascii.closeBrace : Ascii.closeBracket) { return (at, true) }
        return (isObject ? endOfKey(from: at) : at, false)
    }

    /// Reads what may follow a value: any number of closing brackets, then a comma and, in an object, a key.
    ///
    /// - Returns: the offset of the next value, or behind the outermost container, or -1.
    @inline(__always)
    private func closeContainers(from start: Int, _ level: inout Int, _ kinds: inout UInt64) -> Int {
        var at = start
        while at < count {
            let isObject = kinds & 1 != 0
            let next = byte(base, at)
            if next == Ascii.comma {
                at = skipSpace(from: at &+ 1)
                return isObject ? endOfKey(from: at) : at
            }
            guard next == (isObject ? Ascii.closeBrace : Ascii.closeBracket) else { return -1 }
            level &-= 1
            kinds &>>= 1
            guard level > depth else { return at &+ 1 }
            at = skipSpace(from: at &+ 1)
        }
        return -1
    }

    /// - Returns: the offset of the value that belongs to the key at `start`, or -1.
    @inline(__always)
    private func endOfKey(from start: Int) -> Int {
        guard start < count, byte(base, start) == Ascii.quote else { return -1 }
        let keyEnd = endOfString(from: start &+ 1).end
        guard keyEnd >= 0 else { return -1 }
        let colon = skipSpace(from: keyEnd)
        guard colon < count, byte(base, colon) == Ascii.colon else { return -1 }
        return skipSpace(from: colon &+ 1)
    }
}
