/// A text in which ASCII capitals are folded, to be searched many times.
///
/// Providers spell one error in several ways (`Overloaded`, `overloaded_error`), so tables of their texts are
/// written in lowercase and compared with this.
struct FoldedText {
    private let bytes: [UInt8]

    init(_ text: String) {
        bytes = text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }

    /// Whether the needle begins somewhere in the first `limit` bytes.
    ///
    /// - Parameter needle: lowercase.
    func contains(_ needle: String, beginningWithin limit: Int = .max) -> Bool {
        firstIndex(of: needle, from: 0).map { $0 < limit } ?? false
    }

    /// Where each needle ends, in the order of the text.
    func ends(of needle: String) -> [Int] {
        var ends: [Int] = []
        while let start = firstIndex(of: needle, from: ends.last ?? 0) {
            ends.append(start + needle.utf8.count)
        }
        return ends
    }

    /// The bytes from an offset on.
    func suffix(from offset: Int) -> ArraySlice<UInt8> {
        bytes[offset...]
    }

    private func firstIndex(of needle: String, from start: Int) -> Int? {
        bytes.withUnsafeBufferPointer { firstOccurrence(of: needle, in: $0, from: start) }
    }
}

extension String {
    /// Whether the bytes of the needle occur in this text, compared as they are.
    func containsBytes(of needle: String) -> Bool {
        let found = utf8.withContiguousStorageIfAvailable {
            firstOccurrence(of: needle, in: $0, from: 0) != nil
        }
        return found
            ?? Array(utf8).withUnsafeBufferPointer { firstOccurrence(of: needle, in: $0, from: 0) != nil }
    }
}

/// The first offset at which the needle's bytes stand; an empty needle is nowhere.
///
/// - Complexity: O(*n*·*m*) at worst, and about O(*n*) for words in prose.
private func firstOccurrence(of needle: String, in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int?
{
    let needle = needle.utf8
    guard let first = needle.first, text.count - start >= needle.count else { return nil }
    for offset in start...(text.count - needle.count) where text[offset] == first {
        if text[offset..<(offset + needle.count)].elementsEqual(needle) { return offset }
    }
    return nil
}
