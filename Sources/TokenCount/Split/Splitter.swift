/// Cuts a text into the pieces whose bytes are merged apart.
///
/// Each splitter does by hand what its encoding's regular expression does; the expression stands in its doc
/// comment. Alternatives are tried in order, as a backtracking engine does, not by length.
protocol Splitter {
    /// Where the piece that starts at an offset ends.
    ///
    /// - Parameter start: less than the text's count, at a scalar.
    /// - Returns: more than `start`.
    /// - Complexity: O(*n*) in the bytes of the piece and of the whitespace that follows its start.
    static func pieceEnd(in text: ClassifiedText, from start: Int) -> Int

    /// The pieces that start in a block, the first one at its first byte, whatever stands before and behind it.
    ///
    /// Says the same as ``pieceEnd(in:from:)``, only sooner; a rule may know nothing.
    static func starts(in classes: ByteClasses) -> BlockStarts
}

extension Splitter {
    @inline(__always)
    static func starts(in classes: ByteClasses) -> BlockStarts {
        .none
    }
}

extension ClassifiedText {
    /// The end of the run of scalars of some classes.
    @inline(__always)
    func runEnd(of classes: ScalarClassSet, from start: Int) -> Int {
        var end = start
        while true {
            let next = scalar(at: end)
            guard next.class.isAny(of: classes) else { return end }
            end = next.end
        }
    }

    /// The end of the run of letters.
    @inline(__always)
    func lettersEnd(from start: Int) -> Int {
        var end = start
        while true {
            let next = scalar(at: end)
            guard next.class.isAny(of: .letters) else { return end }
            end = next.class == .letter ? chineseEnd(from: next.end) : next.end
        }
    }

    /// `\p{N}{1,3}` from a number on.
    @inline(__always)
    func numberEnd(from start: Int) -> Int {
        var end = start
        for _ in 0..<3 {
            let next = scalar(at: end)
            guard next.class == .number else { break }
            end = next.end
        }
        return end
    }

    /// `[^\s\p{L}\p{N}]+` and then line ends, with slashes among them if the encoding takes those.
    @inline(__always)
    func symbolsEnd(from start: Int, takesSlashes: Bool) -> Int {
        var end = runEnd(of: .symbols, from: start)
        while end < count {
            let byte = bytes[end]
            guard byte == 0x0A || byte == 0x0D || (takesSlashes && byte == 0x2F) else { break }
            end &+= 1
        }
        return end
    }

    /// `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` in any case, else the offset itself.
    ///
    /// Case-insensitive as Unicode folds: U+017F, the long s, is an s too.
    @inline(__always)
    func contractionEnd(from start: Int) -> Int {
        guard start < count, bytes[start] == 0x27 else { return start }
        return afterApostrophe(start)
    }

    @inline(never)
    private func afterApostrophe(_ start: Int) -> Int {
        let left = count - start - 1
        guard left >= 1 else { return start }
        let first = bytes[start + 1] | 0x20
        let second = left >= 2 ? bytes[start + 2] : 0
        switch (first, second | 0x20) {
        case (0x73, _), (0x74, _), (0x6D, _), (0x64, _):  // s t m d
            return start + 2
        case (0x72, 0x65), (0x76, 0x65), (0x6C, 0x6C):  // re ve ll
            return start + 3
        default:
            return bytes[start + 1] == 0xC5 && second == 0xBF ? start + 3 : start
        }
    }
}

/// A run of whitespace and the offsets at which patterns cut it.
struct WhitespaceRun {
    /// After the last CR or LF; nil when there is none.
    private(set) var lastNewlineEnd: Int?
    /// Where the last scalar starts.
    private(set) var lastStart: Int
    private(set) var end: Int

    @inline(__always)
    init(in text: ClassifiedText, from start: Int) {
        lastStart = start
        end = start
        while true {
            let next = text.scalar(at: end)
            guard next.class.isAny(of: .whitespace) else { return }
            lastStart = end
            end = next.end
            if next.class == .newline { lastNewlineEnd = end }
        }
    }

    /// `\s+(?!\S)|\s+` for a run that something else follows: its last scalar is left to the next piece.
    @inline(__always)
    func endBeforeText(from start: Int) -> Int {
        lastStart > start ? lastStart : end
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`.
    @inline(__always)
    func endAfterNewlines(in text: ClassifiedText, from start: Int) -> Int {
        lastNewlineEnd ?? (end == text.count ? end : endBeforeText(from: start))
    }
}
