/// The pieces of `o200k_base`.
///
///     [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
///     [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
///     \p{N}{1,3}
///      ?[^\s\p{L}\p{N}]+[\r\n/]*
///     \s*[\r\n]+
///     \s+(?!\S)
///     \s+
///
/// From `openai/tiktoken`, `tiktoken_ext/openai_public.py`.
enum O200kSplitter: Splitter {
    @inline(__always)
    static func pieceEnd(in text: ClassifiedText, from start: Int) -> Int {
        let end = asciiWordEnd(in: text, from: start)
        return end > start ? end : anyPieceEnd(in: text, from: start)
    }

    /// The end of a word of ASCII letters, with one space before it, when eight bytes decide it; else `start`.
    ///
    /// Nine pieces in ten of English are such words. Their length comes from a word of eight bytes rather than
    /// from a loop, whose end the processor would guess wrong.
    @inline(__always)
    private static func asciiWordEnd(in text: ClassifiedText, from start: Int) -> Int {
        guard start &+ 11 <= text.count else { return start }
        let first = text.bytes[start] == 0x20 ? start &+ 1 : start
        let head = text.byteClass(text.bytes[first])
        guard head.isAny(of: .letters) else { return start }
        let lowers = asciiLowers(at: text.bytes + first + 1)
        guard lowers < 8 else { return start }
        let end = first &+ 1 &+ lowers
        let after = text.bytes[end]
        let follows = text.byteClass(after)
        let isDecided =
            follows != .multibyte && after != 0x27 && (follows != .upper || lowers > 0 || head == .lower)
        return isDecided ? end : start
    }

    /// How many of eight bytes from the first on are ASCII lower-case letters.
    @inline(__always)
    private static func asciiLowers(at bytes: UnsafePointer<UInt8>) -> Int {
        let word = UInt64(littleEndian: UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self))
        let low = word & 0x7F7F_7F7F_7F7F_7F7F
        // The top bit of each byte: at least "a", and more than "z".
        let fromA = low &+ 0x1F1F_1F1F_1F1F_1F1F
        let pastZ = low &+ 0x0505_0505_0505_0505
        let isOther = ~(fromA & ~pastZ & ~word) & 0x8080_8080_8080_8080
        return isOther.trailingZeroBitCount &>> 3
    }

    @inline(never)
    private static func anyPieceEnd(in text: ClassifiedText, from start: Int) -> Int {
        let first = text.scalar(at: start)
        if first.class.isAny(of: .letters) {
            let word = wordEnd(in: text, from: start)
            return text.contractionEnd(from: word.end)
        }
        if first.class == .number {
            return text.numberEnd(from: start)
        }
        if first.class.isAny(of: .prefixes) {
            let next = text.scalar(at: first.end)
            if next.class.isAny(of: .lettersAndMarks) || first.class == .mark {
                return prefixedWordEnd(in: text, prefix: first)
            }
            if first.class == .other {
                return text.symbolsEnd(from: start, takesSlashes: true)
            }
            if text.bytes[start] == 0x20, next.class == .other {
                return text.symbolsEnd(from: first.end, takesSlashes: true)
            }
        }
        return WhitespaceRun(in: text, from: start).endAfterNewlines(in: text, from: start)
    }

    /// A word after one scalar that may stand before it.
    ///
    /// A mark may be either: if the word after it is all upper case, or none is there, the first alternative
    /// matches the mark alone, as a word, before the second is tried.
    @inline(__always)
    private static func prefixedWordEnd(in text: ClassifiedText, prefix: (class: ScalarClass, end: Int))
        -> Int
    {
        let word = wordEnd(in: text, from: prefix.end)
        let end = prefix.class == .mark && word.isAllUpper ? prefix.end : word.end
        return text.contractionEnd(from: end)
    }

    /// A word by the first alternative, or by the second if all of it is upper case.
    ///
    /// The upper run takes all it can. If no lower-case letter follows, it must give back scalars until one is
    /// left for the lower run, so the word ends after the last scalar that both runs take.
    @inline(__always)
    private static func wordEnd(in text: ClassifiedText, from start: Int) -> (end: Int, isAllUpper: Bool) {
        var end = start
        var lastEither: Int?
        while true {
            let next = text.scalar(at: end)
            if next.class == .lower {
                return (text.runEnd(of: .lowerRun, from: next.end), false)
            }
            guard next.class.isAny(of: .upperRun) else { break }
            end = next.end
            if next.class.isAny(of: .eitherRun) {
                end = text.chineseEnd(from: end)
                lastEither = end
            }
        }
        return lastEither.map { ($0, false) } ?? (end, true)
    }
}

extension O200kSplitter {
    @inline(__always)
    static func starts(in classes: ByteClasses) -> BlockStarts {
        let letter = classes.letter
        let symbolStart = ByteClasses.first(of: classes.symbol) & ~(classes.space &<< 1)
        let prefix = (symbolStart | classes.blank) & letter &>> 1
        let words = ByteClasses.first(of: letter) & ~(prefix &<< 1) | classes.upper & classes.lower &<< 1
        let whitespace = classes.whitespaceStarts
        let contraction = classes.apostrophe & letter &<< 1 & letter &>> 1
        // Symbols may have taken the line end before it, and then take the slash.
        let slash = classes.slash & classes.newline &<< 1
        return BlockStarts(
            symbolStart | words | whitespace.starts | classes.digitGroups,
            unsure: classes.unknown | contraction | slash | whitespace.unsure
        )
    }
}
