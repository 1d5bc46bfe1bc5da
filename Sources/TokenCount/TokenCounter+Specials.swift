internal import Glibc

/// How the names of special tokens in a text are read.
public enum SpecialTokenReading: Sendable {
    /// As any other text, which is right for all that a user may have written.
    case asText
    /// As the special tokens, for text that a chat template has made.
    case asTokens
}

extension TokenCounter {
    /// The tokens of a text, in order.
    ///
    /// What stands between special tokens is encoded apart.
    public func encode(_ text: String, specials: SpecialTokenReading) -> [Int] {
        guard specials == .asTokens else { return encode(text) }
        var list = RankList()
        encodeReadingSpecials(text, into: &list)
        return list.ranks
    }

    /// The number of tokens of a text.
    public func count(_ text: String, specials: SpecialTokenReading) -> Int {
        guard specials == .asTokens else { return count(text) }
        var tally = Tally()
        encodeReadingSpecials(text, into: &tally)
        return tally.count
    }

    /// The bytes that tokens stand for, special ones included as their names; nil when one is no token at all.
    public func decode(_ tokens: [Int], specials: SpecialTokenReading) -> [UInt8]? {
        guard specials == .asTokens else { return decode(tokens) }
        var bytes: [UInt8] = []
        for token in tokens {
            if let name = encoding.specials.name(of: token) {
                bytes += name.utf8
            } else if let part = encoding.vocabulary.bytes(of: token) {
                bytes += part
            } else {
                return nil
            }
        }
        return bytes
    }

    private func encodeReadingSpecials<Sink: TokenSink>(_ text: String, into sink: inout Sink) {
        var text = text
        text.withUTF8 { bytes in
            var done = 0
            var at = Self.nextBracket(in: bytes, from: 0)
            while let start = at {
                guard let (id, end) = encoding.specials.token(in: bytes, at: start) else {
                    at = Self.nextBracket(in: bytes, from: start + 1)
                    continue
                }
                encodeValid(UnsafeBufferPointer(rebasing: bytes[done..<start]), into: &sink)
                sink.add(rank: UInt32(truncatingIfNeeded: id))
                done = end
                at = Self.nextBracket(in: bytes, from: end)
            }
            encodeValid(UnsafeBufferPointer(rebasing: bytes[done...]), into: &sink)
        }
    }

    /// Where the next `<` stands, with which every special token starts.
    private static func nextBracket(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        guard let base = bytes.baseAddress, start < bytes.count else { return nil }
        guard let found = memchr(base + start, 0x3C, bytes.count - start) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
}
