/// Where a string lies in a JSON document.
///
/// A span, not a copy: its methods take the document that it was found in, and mean nothing with another one.
public struct JSONText: Equatable, Sendable {
    /// The contents, without the quotes.
    public var range: Range<Int>
    /// Whether the contents hold a backslash and so differ from the text that they stand for.
    public var hasEscapes: Bool

    /// A string whose contents lie at `range`.
    public init(range: Range<Int>, hasEscapes: Bool) {
        self.range = range
        self.hasEscapes = hasEscapes
    }

    /// The string with its quotes, as a value of the document.
    public var quotedRange: Range<Int> {
        range.lowerBound - 1..<range.upperBound + 1
    }

    /// Whether this is the given text, once its escapes are decoded.
    ///
    /// - Complexity: O(*n*); without escapes a comparison of lengths and of bytes.
    @inline(__always)
    public func isEqual(to text: StaticString, in document: UnsafeRawBufferPointer) -> Bool {
        let expected = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard hasEscapes else { return isSpelled(expected, in: document) }
        return decoded(from: document).elementsEqual(expected)
    }

    /// Whether this is the given text, once its escapes are decoded.
    ///
    /// Disfavoured, so that a literal takes the form above, which allocates nothing.
    @_disfavoredOverload
    public func isEqual(to text: String, in document: UnsafeRawBufferPointer) -> Bool {
        guard hasEscapes else { return document[range].elementsEqual(text.utf8) }
        return decoded(from: document).elementsEqual(text.utf8)
    }

    /// Whether the decoded text starts with the given one.
    ///
    /// - Complexity: O(*m*) in the size of the prefix: of a long text no more than its start is decoded.
    public func hasPrefix(_ prefix: StaticString, in document: UnsafeRawBufferPointer) -> Bool {
        let expected = UnsafeRawBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
        // No byte of decoded text takes more than six bytes to write: `\u0041`.
        let enough = min(range.count, 6 * expected.count)
        let start = JSONText(
            range: range.lowerBound..<range.lowerBound + enough,
            hasEscapes: hasEscapes
        )
        return start.decoded(from: document).starts(with: expected)
    }

    /// The decoded text.
    ///
    /// Bytes that are not UTF-8 become U+FFFD.
    public func string(in document: UnsafeRawBufferPointer) -> String {
        guard hasEscapes else { return String(decoding: document[range], as: UTF8.self) }
        return String(decoding: decoded(from: document), as: UTF8.self)
    }

    @inline(__always)
    private func isSpelled(_ expected: UnsafeRawBufferPointer, in document: UnsafeRawBufferPointer) -> Bool {
        guard range.count == expected.count else { return false }
        var offset = 0
        while offset < expected.count {
            guard document[range.lowerBound &+ offset] == expected[offset] else { return false }
            offset &+= 1
        }
        return true
    }

    private func decoded(from document: UnsafeRawBufferPointer) -> [UInt8] {
        var text: [UInt8] = []
        append(to: &text, from: document)
        return text
    }
}
