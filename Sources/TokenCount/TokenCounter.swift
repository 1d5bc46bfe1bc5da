/// Counts and encodes text exactly as the reference implementation of an encoding does.
///
/// Costs nothing to make and may be used by many threads at once. What counting remembers of the pieces that it met
/// belongs to the process: from the first count on at most 3.5 MB an encoding, and 0.8 MB more from the first piece
/// of more than 4 KB on, whatever comes.
///
/// Special tokens such as `<|endoftext|>` are plain text unless asked for: what a user writes must not become control.
///
/// Bytes that are not valid UTF-8 count as the text does in which each maximal ill-formed subpart is replaced by
/// U+FFFD (Unicode 16, section 3.9), which is what a decoder makes of them before the reference sees any.
public struct TokenCounter: Sendable {
    /// Whose tokens are counted.
    public let encoding: Encoding

    public init(_ encoding: Encoding) {
        self.encoding = encoding
    }

    /// The number of tokens of a text.
    ///
    /// Never more than it has bytes, once it is valid UTF-8 and in the encoding's normal form (`qwen2`: NFC,
    /// `claude_legacy`: NFKC).
    ///
    /// - Complexity: O(*n*) for ordinary text, O(*n* log *n*) at worst.
    public func count(_ utf8: UnsafeRawBufferPointer) -> Int {
        var tally = Tally()
        encode(utf8, into: &tally)
        return tally.count
    }

    /// The number of tokens of a text.
    public func count(_ utf8: [UInt8]) -> Int {
        utf8.withUnsafeBytes { count($0) }
    }

    /// The number of tokens of a text.
    public func count(_ text: String) -> Int {
        var tally = Tally()
        encode(text, into: &tally)
        return tally.count
    }

    /// The number of tokens of a text, or nil as soon as it is known to have more than `limit`.
    public func count(_ utf8: UnsafeRawBufferPointer, atMost limit: Int) -> Int? {
        var tally = Tally(limit: limit)
        encode(utf8, into: &tally)
        return tally.isFull ? nil : tally.count
    }

    /// The number of tokens of a text, or nil as soon as it is known to have more than `limit`.
    public func count(_ utf8: [UInt8], atMost limit: Int) -> Int? {
        utf8.withUnsafeBytes { count($0, atMost: limit) }
    }

    /// The number of tokens of a text, or nil as soon as it is known to have more than `limit`.
    public func count(_ text: String, atMost limit: Int) -> Int? {
        var tally = Tally(limit: limit)
        encode(text, into: &tally)
        return tally.isFull ? nil : tally.count
    }

    /// The tokens of a text, in order.
    public func encode(_ utf8: UnsafeRawBufferPointer) -> [Int] {
        var list = RankList()
        encode(utf8, into: &list)
        return list.ranks
    }

    /// The tokens of a text, in order.
    public func encode(_ utf8: [UInt8]) -> [Int] {
        utf8.withUnsafeBytes { encode($0) }
    }

    /// The tokens of a text, in order.
    public func encode(_ text: String) -> [Int] {
        var list = RankList()
        encode(text, into: &list)
        return list.ranks
    }

    /// The bytes that tokens stand for; nil when one of them is not an ordinary token of the encoding.
    ///
    /// The bytes are not always valid UTF-8: a token may end within a scalar. They are those of the form into which
    /// the encoding puts a text: `qwen2` NFC, `claude_legacy` NFKC, `gemma` a space for U+2581.
    public func decode(_ tokens: [Int]) -> [UInt8]? {
        var bytes: [UInt8] = []
        for token in tokens {
            guard let part = encoding.vocabulary.bytes(of: token) else { return nil }
            bytes += part
        }
        return bytes
    }
}

extension TokenCounter {
    private func encode<Sink: TokenSink>(_ text: String, into sink: inout Sink) {
        var text = text
        text.withUTF8 { encodeValid($0, into: &sink) }
    }

    private func encode<Sink: TokenSink>(_ utf8: UnsafeRawBufferPointer, into sink: inout Sink) {
        utf8.withMemoryRebound(to: UInt8.self) { bytes in
            guard let start = bytes.baseAddress else { return }
            if isValidUTF8(start, count: bytes.count) {
                encodeValid(bytes, into: &sink)
            } else {
                encode(String(decoding: bytes, as: UTF8.self), into: &sink)
            }
        }
    }

    func encodeValid<Sink: TokenSink>(_ bytes: UnsafeBufferPointer<UInt8>, into sink: inout Sink) {
        if let prepared = encoding.preparation.prepared(bytes) {
            _ = prepared.withUnsafeBufferPointer { encodePrepared($0, into: &sink) }
        } else {
            encodePrepared(bytes, into: &sink)
        }
    }
}
