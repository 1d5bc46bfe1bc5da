/// The line by which a client sees that an answer starts again on another model.
///
/// ASCII without anything that JSON writers like to escape, so that it can be found in a later request as it is
/// written there.
public enum RestartNotice {
    private static let start: StaticString = "[sidecar: the answer broke off here and starts again on "
    private static let end = UInt8(ascii: "]")

    /// The line with an empty one before and behind it.
    public static func text(model: String) -> [UInt8] {
        Array("\n\n\(start)\(model)]\n\n".utf8)
    }

    /// The edits that take every such line, and the empty one behind it, out of the assistant's messages.
    ///
    /// - Complexity: O(*n*) in the assistant's text.
    public static func removals(from conversation: Conversation, in body: UnsafeRawBufferPointer) -> [Splice]
    {
        conversation.messages.filter { $0.role == .assistant }
            .flatMap { conversation.parts[$0.parts] }
            .filter { $0.kind == .text && !$0.isRaw }
            .flatMap { removals(from: $0.text.range, in: body) }
    }

    private static func removals(from text: Range<Int>, in body: UnsafeRawBufferPointer) -> [Splice] {
        var splices: [Splice] = []
        var position = text.lowerBound
        while let line = next(in: text.clamped(to: position..<text.upperBound), of: body) {
            splices.append(Splice(line, with: []))
            position = line.upperBound
        }
        return splices
    }

    /// The next such line with the line breaks behind it, as they are escaped.
    private static func next(in text: Range<Int>, of body: UnsafeRawBufferPointer) -> Range<Int>? {
        guard let found = body.offset(of: start, in: text) else { return nil }
        let rest = UnsafeRawBufferPointer(rebasing: body[found..<text.upperBound])
        guard let length = rest.firstIndex(of: end) else { return nil }
        var behind = found + length + 1
        for _ in 0..<2 where body[behind..<text.upperBound].starts(with: [Ascii.backslash, Ascii.lowerN]) {
            behind += 2
        }
        return found..<behind
    }
}

extension UnsafeRawBufferPointer {
    /// Where a text first stands in a part of the bytes.
    fileprivate func offset(of text: StaticString, in range: Range<Int>) -> Int? {
        let wanted = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard let first = wanted.first else { return nil }
        var position = range.lowerBound
        while position + wanted.count <= range.upperBound {
            guard let found = self[position..<range.upperBound].firstIndex(of: first),
                found + wanted.count <= range.upperBound
            else { return nil }
            if self[found..<found + wanted.count].elementsEqual(wanted) { return found }
            position = found + 1
        }
        return nil
    }
}
