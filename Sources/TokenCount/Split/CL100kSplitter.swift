/// The pieces of `cl100k_base`.
///
///     '(?i:[sdmt]|ll|ve|re)
///     [^\r\n\p{L}\p{N}]?+\p{L}++
///     \p{N}{1,3}+
///      ?[^\s\p{L}\p{N}]++[\r\n]*+
///     \s++$
///     \s*[\r\n]
///     \s+(?!\S)
///     \s
///
/// From `openai/tiktoken`, `tiktoken_ext/openai_public.py`. Whitespace at the end of the text is one piece even
/// with line ends in it, which `o200k_base` would cut.
enum CL100kSplitter: Splitter {
    @inline(__always)
    static func pieceEnd(in text: ClassifiedText, from start: Int) -> Int {
        let first = text.scalar(at: start)
        if first.class.isAny(of: .letters) {
            return text.runEnd(of: .letters, from: first.end)
        }
        if first.class == .number {
            return text.numberEnd(from: start)
        }
        let contraction = text.contractionEnd(from: start)
        if contraction > start {
            return contraction
        }
        if first.class.isAny(of: .prefixes) {
            let next = text.scalar(at: first.end)
            if next.class.isAny(of: .letters) {
                return text.runEnd(of: .letters, from: next.end)
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
        let run = WhitespaceRun(in: text, from: start)
        return run.end == text.count ? run.end : run.lastNewlineEnd ?? run.endBeforeText(from: start)
    }
}
