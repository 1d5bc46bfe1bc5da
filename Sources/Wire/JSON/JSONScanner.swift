/// Walks a JSON document and gives the spans of its values, without decoding them.
///
/// The grammar is RFC 8259, strictly: no comments, no trailing commas, no bare control characters in strings,
/// nothing behind the document. Two things are not checked: that strings are UTF-8 (upstreams judge that
/// differently) and that keys are unique.
///
/// The first mistake breaks the scanner for good: from then on every call returns nothing and ``isBroken`` is
/// true, so that callers ask once, at the end. Every method that reads a value expects ``position`` to be on
/// its first byte, which is where ``nextKey(_:)`` and ``nextElement(_:)`` leave it.
struct JSONScanner {
    /// How deeply arrays and objects may be nested.
    ///
    /// The kinds of the open containers fit in one machine word. Tool definitions, the deepest part of real
    /// requests, stay under 30 levels.
    static let maxDepth = 64

    let base: UnsafeRawPointer
    let count: Int
    var position = 0
    var depth = 0
    private(set) var isBroken = false

    /// Stands on the first byte of the document's value; nil when there is none.
    init?(_ document: UnsafeRawBufferPointer, from start: Int = 0) {
        guard let base = document.baseAddress else { return nil }
        self.base = base
        self.count = document.count
        position = skipSpace(from: start)
    }

    mutating func fail() {
        isBroken = true
        position = count
    }

    /// Whether the document was well formed and nothing but white space follows.
    mutating func isAtEnd() -> Bool {
        position = skipSpace(from: position)
        return !isBroken && position == count
    }

    /// The first byte of the value that stands here; 0, which starts no value, at the end.
    @inline(__always)
    var next: UInt8 {
        position < count ? byte(base, position) : 0
    }

    /// Steps into an object.
    ///
    /// - Returns: false after skipping the value, when it is something else.
    @inline(__always)
    mutating func enterObject() -> Bool {
        enter(Ascii.openBrace)
    }

    /// Steps into an array.
    ///
    /// - Returns: false after skipping the value, when it is something else.
    @inline(__always)
    mutating func enterArray() -> Bool {
        enter(Ascii.openBracket)
    }

    private mutating func enter(_ bracket: UInt8) -> Bool {
        guard next == bracket else {
            skipValue()
            return false
        }
        depth &+= 1
        guard depth <= Self.maxDepth else {
            fail()
            return false
        }
        position = skipSpace(from: position &+ 1)
        return true
    }

    /// Reads the next key of the object that was entered, up to its value.
    ///
    /// - Parameter isFirst: true before the first call; belongs to this object.
    /// - Returns: nil behind the object, or when the scanner is broken.
    @inline(__always)
    mutating func nextKey(_ isFirst: inout Bool) -> JSONText? {
        guard nextItem(before: Ascii.closeBrace, &isFirst) else { return nil }
        let key = text()
        position = skipSpace(from: position)
        guard let key, next == Ascii.colon else {
            fail()
            return nil
        }
        position = skipSpace(from: position &+ 1)
        return key
    }

    /// Steps to the next element of the array that was entered.
    ///
    /// - Parameter isFirst: true before the first call; belongs to this array.
    /// - Returns: false behind the array, or when the scanner is broken.
    @inline(__always)
    mutating func nextElement(_ isFirst: inout Bool) -> Bool {
        nextItem(before: Ascii.closeBracket, &isFirst)
    }

    @inline(__always)
    private mutating func nextItem(before closing: UInt8, _ isFirst: inout Bool) -> Bool {
        guard !isBroken else { return false }
        position = skipSpace(from: position)
        if next == closing {
            position &+= 1
            depth &-= 1
            return false
        }
        if isFirst {
            isFirst = false
            return true
        }
        guard next == Ascii.comma else {
            fail()
            return false
        }
        position = skipSpace(from: position &+ 1)
        return true
    }

    /// Reads a string.
    ///
    /// - Returns: nil after skipping the value, when it is something else.
    @inline(__always)
    mutating func text() -> JSONText? {
        guard next == Ascii.quote else {
            skipValue()
            return nil
        }
        let start = position &+ 1
        let (end, hasEscapes) = endOfString(from: start)
        guard end >= 0 else {
            fail()
            return nil
        }
        position = end
        return JSONText(range: start..<end &- 1, hasEscapes: hasEscapes)
    }
}
