/// The family of `cl100k_base`: a word is a run of letters with any one symbol or space before it.
protocol PrefixedWordSplitter: Splitter {
    /// How many numbers a piece holds at most.
    static var digits: Int { get }

    /// Where a piece of whitespace ends.
    static func end(of run: WhitespaceRun, in text: ClassifiedText, from start: Int) -> Int
}

extension PrefixedWordSplitter {
    @inline(__always)
    static func pieceEnd(in text: ClassifiedText, from start: Int) -> Int {
        let first = text.scalar(at: start)
        if first.class.isAny(of: .letters) {
            return text.lettersEnd(from: first.end)
        }
        if first.class == .number {
            return digits == 1 ? first.end : text.numberEnd(from: start)
        }
        let contraction = text.contractionEnd(from: start)
        if contraction > start {
            return contraction
        }
        if first.class.isAny(of: .prefixes) {
            let next = text.scalar(at: first.end)
            if next.class.isAny(of: .letters) {
                return text.lettersEnd(from: next.end)
            }
            if first.class.isAny(of: .symbols) {
                return text.symbolsEnd(from: start, takesSlashes: false)
            }
            if text.bytes[start] == 0x20, next.class.isAny(of: .symbols) {
                return text.symbolsEnd(from: first.end, takesSlashes: false)
            }
        }
        return whitespaceEnd(in: text, from: start)
    }

    @inline(never)
    private static func whitespaceEnd(in text: ClassifiedText, from start: Int) -> Int {
        end(of: WhitespaceRun(in: text, from: start), in: text, from: start)
    }
}

extension PrefixedWordSplitter {
    @inline(__always)
    static func starts(in classes: ByteClasses) -> BlockStarts {
        let letter = classes.letter
        let symbolStart = ByteClasses.first(of: classes.symbol) & ~(classes.space &<< 1)
        let prefix = (symbolStart | classes.blank) & letter &>> 1
        let words = ByteClasses.first(of: letter) & ~(prefix &<< 1)
        let numbers = digits == 1 ? classes.digit : classes.digitGroups
        let whitespace = classes.whitespaceStarts
        let contraction = classes.apostrophe & prefix
        return BlockStarts(
            symbolStart | words | whitespace.starts | numbers,
            unsure: classes.unknown | contraction | whitespace.unsure
        )
    }
}
