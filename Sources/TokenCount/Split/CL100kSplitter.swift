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
/// with line ends in it, which the others would cut.
enum CL100kSplitter: PrefixedWordSplitter {
    static var digits: Int { 3 }

    @inline(__always)
    static func end(of run: WhitespaceRun, in text: ClassifiedText, from start: Int) -> Int {
        run.end == text.count ? run.end : run.lastNewlineEnd ?? run.endBeforeText(from: start)
    }
}

/// The pieces of Llama 3: those of `cl100k_base`, but whitespace is cut after its last line end everywhere.
///
///     (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*
///     |\s*[\r\n]+|\s+(?!\S)|\s+
///
/// From `meta-llama/llama3`, `llama/tokenizer.py`.
enum Llama3Splitter: PrefixedWordSplitter {
    static var digits: Int { 3 }

    @inline(__always)
    static func end(of run: WhitespaceRun, in text: ClassifiedText, from start: Int) -> Int {
        run.endAfterNewlines(in: text, from: start)
    }
}

/// The pieces of Qwen 2: those of Llama 3, but each digit stands alone.
///
/// From `Qwen/Qwen2-7B`, `tokenizer.json`.
enum Qwen2Splitter: PrefixedWordSplitter {
    static var digits: Int { 1 }

    @inline(__always)
    static func end(of run: WhitespaceRun, in text: ClassifiedText, from start: Int) -> Int {
        run.endAfterNewlines(in: text, from: start)
    }
}
