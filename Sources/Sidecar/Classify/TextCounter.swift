internal import TokenCount

/// Counts texts in one encoding, and shortens them by tokens.
struct TextCounter {
    private let counter: TokenCounter
    /// The encoding's place among those that are shipped.
    let number: UInt16

    /// - Returns: nil for an encoding that is not shipped.
    init?(encoding name: String) {
        guard let place = Encoding.all.firstIndex(where: { $0.name == name }) else { return nil }
        counter = TokenCounter(Encoding.all[place])
        number = UInt16(truncatingIfNeeded: place)
    }

    /// What no text of so many bytes exceeds.
    func tokensAtMost(bytes: Int) -> Int {
        bytes * counter.encoding.mostTokensOfAByte
    }

    func count(_ text: [UInt8]) -> Int {
        text.withUnsafeBytes { counter.count($0) }
    }

    func count(_ text: UnsafeRawBufferPointer) -> Int {
        counter.count(text)
    }

    /// The text with its middle left out, so that it counts at most `tokens`.
    ///
    /// Cut between scalars. The halves are counted together, since tokens may join across the seam.
    func shortened(_ text: [UInt8], to tokens: Int) -> [UInt8] {
        guard count(text) > tokens else { return text }
        let mark = Array("\n[…]\n".utf8)
        // The share of bytes that the allowance pays for, found by halving: counts grow with the length.
        var low = 0
        var high = text.count / 2
        var best: [UInt8] = []
        while low <= high {
            let half = (low + high) / 2
            let joined = Array(Self.head(of: text, half)) + mark + Self.tail(of: text, half)
            if count(joined) <= tokens {
                best = joined
                low = half + 1
            } else {
                high = half - 1
            }
        }
        return best
    }

    /// At most so many bytes from the start, ending at a scalar.
    private static func head(of text: [UInt8], _ byteCount: Int) -> ArraySlice<UInt8> {
        var end = byteCount
        while end > 0, end < text.count, text[end] & 0xC0 == 0x80 { end -= 1 }
        return text[..<end]
    }

    /// At most so many bytes from the end, beginning at a scalar.
    private static func tail(of text: [UInt8], _ byteCount: Int) -> ArraySlice<UInt8> {
        var start = text.count - byteCount
        while start < text.count, text[start] & 0xC0 == 0x80 { start += 1 }
        return text[start...]
    }
}
