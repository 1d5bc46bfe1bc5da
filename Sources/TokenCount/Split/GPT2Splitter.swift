/// The pieces of GPT-2, which `p50k_base` and the first Claude models took over.
///
///     '(?:[sdmt]|ll|ve|re)
///      ?\p{L}++
///      ?\p{N}++
///      ?[^\s\p{L}\p{N}]++
///     \s++$
///     \s+(?!\S)
///     \s
///
/// From `openai/tiktoken`, `tiktoken_ext/openai_public.py`. Contractions are those in small ASCII letters.
enum GPT2Splitter: Splitter {
    @inline(__always)
    static func pieceEnd(in text: ClassifiedText, from start: Int) -> Int {
        let byte = text.bytes[start]
        let contraction = byte == 0x27 ? smallContractionEnd(in: text, from: start) : start
        if contraction > start {
            return contraction
        }
        let first = text.scalar(at: byte == 0x20 ? start &+ 1 : start)
        if first.class.isAny(of: .letters) {
            return text.lettersEnd(from: first.end)
        }
        if first.class == .number {
            return text.runEnd(of: .numbers, from: first.end)
        }
        if first.class.isAny(of: .symbols) {
            return text.runEnd(of: .symbols, from: first.end)
        }
        return whitespaceEnd(in: text, from: start)
    }

    @inline(never)
    private static func smallContractionEnd(in text: ClassifiedText, from start: Int) -> Int {
        let left = text.count - start - 1
        guard left >= 1 else { return start }
        switch (text.bytes[start + 1], left >= 2 ? text.bytes[start + 2] : 0) {
        case (0x73, _), (0x74, _), (0x6D, _), (0x64, _):  // s t m d
            return start + 2
        case (0x72, 0x65), (0x76, 0x65), (0x6C, 0x6C):  // re ve ll
            return start + 3
        default:
            return start
        }
    }

    @inline(never)
    private static func whitespaceEnd(in text: ClassifiedText, from start: Int) -> Int {
        let run = WhitespaceRun(in: text, from: start)
        return run.end == text.count ? run.end : run.endBeforeText(from: start)
    }
}

extension GPT2Splitter {
    @inline(__always)
    static func starts(in classes: ByteClasses) -> BlockStarts {
        let runs =
            ByteClasses.first(of: classes.letter) | ByteClasses.first(of: classes.digit)
            | ByteClasses.first(of: classes.symbol)
        let starts = runs & ~(classes.space &<< 1)
        let white = classes.white
        let contraction = classes.apostrophe & starts & classes.letter &>> 1
        return BlockStarts(
            starts | ByteClasses.first(of: white) | ByteClasses.last(of: white),
            unsure: classes.unknown | contraction
        )
    }
}
