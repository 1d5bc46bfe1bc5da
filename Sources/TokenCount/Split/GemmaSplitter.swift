internal import VocabularyData

/// The pieces of Gemma, whose own rule cuts a text into runs of line ends and all else, so that a line is one piece.
///
/// Merging gives the same tokens when a piece is cut where no token has the two scalars beside the cut as
/// neighbours; `scripts/vocabulary.py` makes the table of the neighbours that some token has. Most pieces then are
/// words.
///
/// Runs of spaces, of tabs and of line ends merge before all else, as many as thirty-one at once from the left. Line
/// ends and tabs merge with nothing else, spaces only if they stand alone.
enum GemmaSplitter: Splitter {
    /// The longest run that is a token.
    private static var longestRun: Int { 31 }

    @inline(__always)
    static func pieceEnd(in text: ClassifiedText, from start: Int) -> Int {
        let first = text.bytes[start]
        if first == 0x20 {
            let end = runEnd(in: text, of: first, from: start)
            return end > start &+ 1 ? end : wordEnd(in: text, from: start)
        }
        if first == 0x0A || first == 0x09 {
            return runEnd(in: text, of: first, from: start)
        }
        return wordEnd(in: text, from: start)
    }

    @inline(__always)
    private static func runEnd(in text: ClassifiedText, of byte: UInt8, from start: Int) -> Int {
        var end = start &+ 1
        let limit = min(text.count, start &+ longestRun)
        while end < limit, text.bytes[end] == byte {
            end &+= 1
        }
        return end
    }

    @inline(__always)
    private static func wordEnd(in text: ClassifiedText, from start: Int) -> Int {
        let joints = sidecar_gemma_joints_start().assumingMemoryBound(to: UInt8.self)
        var end = start &+ 1
        var before = neighbour(text.bytes[start])
        while end < text.count {
            let after = neighbour(text.bytes[end])
            guard joints[before &<< 7 | after] != 0 else { return end }
            guard after != 0x20 || isInnerSpace(in: text, at: end) else { return end }
            before = after
            end &+= 1
        }
        return end
    }

    /// All scalars beyond ASCII are one in the table, and so are the bytes within them.
    @inline(__always)
    private static func neighbour(_ byte: UInt8) -> Int {
        Int(min(byte, 0x7F))
    }

    /// Whether the space is that of `> </`, the only token with a space behind another scalar.
    @inline(never)
    private static func isInnerSpace(in text: ClassifiedText, at space: Int) -> Bool {
        space + 2 < text.count && text.bytes[space + 1] == 0x3C && text.bytes[space + 2] == 0x2F
    }
}
