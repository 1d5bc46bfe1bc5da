/// A pattern in which `*` stands for any text and `?` for one character.
///
/// Compared by bytes, so capitals matter; `?` takes one Unicode scalar. There is no escape: a model or header
/// value that holds a literal `*` is matched by `*` or `?`.
public struct Glob: Hashable, Sendable {
    /// The pattern as it was written.
    public let pattern: String

    private let bytes: [UInt8]
    /// Most patterns of a configuration are plain names, which are compared at once.
    private let isLiteral: Bool

    private static let star = UInt8(ascii: "*")
    private static let questionMark = UInt8(ascii: "?")

    public init(_ pattern: String) {
        self.pattern = pattern
        bytes = Array(pattern.utf8)
        isLiteral = !bytes.contains { $0 == Self.star || $0 == Self.questionMark }
    }

    /// Whether the whole text matches.
    ///
    /// - Complexity: one pass over the text where no `*` has to be tried again; never more than text times
    ///   pattern steps, since only the last `*` is ever gone back to.
    public func matches(_ text: String) -> Bool {
        if isLiteral, text.utf8.count != bytes.count { return false }
        return text.utf8.withContiguousStorageIfAvailable(matches)
            ?? Array(text.utf8).withUnsafeBufferPointer(matches)
    }

    private func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var at = 0
        var place = 0
        // Where to go on after a mismatch: behind the last star, which then takes one byte more.
        var retry: (place: Int, at: Int)?

        while at < text.count {
            if place < bytes.count, bytes[place] == Self.star {
                place += 1
                retry = (place, at)
            } else if place < bytes.count, bytes[place] == Self.questionMark {
                place += 1
                at = endOfScalar(at, in: text)
            } else if place < bytes.count, bytes[place] == text[at] {
                place += 1
                at += 1
            } else if let again = retry {
                // A whole scalar more, so that no `?` is ever tried in the middle of one.
                at = endOfScalar(again.at, in: text)
                retry = (again.place, at)
                place = again.place
            } else {
                return false
            }
        }
        return bytes[place...].allSatisfy { $0 == Self.star }
    }

    private func endOfScalar(_ start: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
        var end = start + 1
        while end < text.count, text[end] & 0xC0 == 0x80 { end += 1 }
        return end
    }
}
