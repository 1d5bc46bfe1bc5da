/// Finds the ends of events in bytes of which more come at the back and some go at the front.
struct EventEnds: Sendable {
    /// How far the bytes have been looked through.
    private var position = 0
    private var isLineEmpty = true
    /// Whether the last byte was a CR, to which an LF belongs.
    private var isAfterReturn = false
    /// Whether an event has ended and no line has ended since.
    private var isBetweenEvents = false

    /// The offset behind the next empty line.
    ///
    /// A CR at the end of what has come ends the line; an LF that follows late counts as an event of its own,
    /// so that it is not held.
    ///
    /// - Returns: nil when there is none yet.
    mutating func next(_ held: UnsafeRawBufferPointer) -> Int? {
        guard let base = held.baseAddress else { return nil }
        while position < held.count {
            if isAfterReturn {
                isAfterReturn = false
                if byte(base, position) == Ascii.lineFeed {
                    position += 1
                    if isBetweenEvents { return position }
                }
            }
            let end = firstLineBreak(base, from: position, to: held.count)
            if end > position { isLineEmpty = false }
            position = end
            guard end < held.count else { return nil }
            if endLine(base, held.count) { return position }
        }
        return nil
    }

    /// Steps behind a line break.
    ///
    /// - Returns: whether the line was empty.
    private mutating func endLine(_ base: UnsafeRawPointer, _ count: Int) -> Bool {
        isAfterReturn = byte(base, position) == Ascii.carriageReturn
        position += 1
        if isAfterReturn, position < count, byte(base, position) == Ascii.lineFeed {
            isAfterReturn = false
            position += 1
        }
        isBetweenEvents = isLineEmpty
        isLineEmpty = true
        return isBetweenEvents
    }

    mutating func drop(_ count: Int) {
        position -= count
    }
}
