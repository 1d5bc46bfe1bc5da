/// The end of a text that fits a budget.
public struct FittingSuffix: Equatable, Sendable {
    /// The offset in UTF-8 at which it starts.
    public let start: Int
    /// The number of its tokens.
    public let count: Int
}

extension TokenCounter {
    /// The end of a text that has at most so many tokens, counted by itself.
    ///
    /// It starts with a piece of the text, so its tokens are the last ones of the whole, and it is the longest such.
    /// If the encoding puts the text into another form first, it starts with a scalar and may be a little shorter.
    ///
    /// - Complexity: twice that of a count; in the other case times the logarithm of the length.
    public func suffix(of text: String, atMost limit: Int) -> FittingSuffix {
        var text = text
        return text.withUTF8 { bytes in
            encoding.preparation.prepared(bytes) == nil
                ? suffixFromPiece(of: bytes, atMost: limit) : suffixFromScalar(of: bytes, atMost: limit)
        }
    }

    private func suffixFromPiece(of bytes: UnsafeBufferPointer<UInt8>, atMost limit: Int) -> FittingSuffix {
        var total = Tally()
        encodePrepared(bytes, into: &total)
        guard total.count > limit else { return FittingSuffix(start: 0, count: total.count) }
        guard limit > 0 else { return FittingSuffix(start: bytes.count, count: 0) }
        // Full as soon as what is left fits.
        var head = Tally(limit: total.count - limit - 1)
        let start = encodePrepared(bytes, into: &head)
        return FittingSuffix(start: start, count: total.count - head.count)
    }

    private func suffixFromScalar(of bytes: UnsafeBufferPointer<UInt8>, atMost limit: Int) -> FittingSuffix {
        var best = FittingSuffix(start: bytes.count, count: 0)
        var low = 0
        var high = bytes.count
        while low < high {
            var middle = (low + high) / 2
            while middle > low, bytes[middle] & 0xC0 == 0x80 { middle -= 1 }
            let tail = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[middle...]))
            if let count = self.count(tail, atMost: limit) {
                best = FittingSuffix(start: middle, count: count)
                high = middle
            } else {
                low = middle + 1
                while low < high, bytes[low] & 0xC0 == 0x80 { low += 1 }
            }
        }
        return best
    }
}
