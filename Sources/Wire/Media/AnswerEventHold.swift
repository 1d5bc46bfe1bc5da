/// Holds an event of a streamed answer back until it is known whether an image is in it.
///
/// Pure: it holds no bytes. The caller keeps what has come and has not been let go, asks with all of it, does
/// what the step says, and asks again until it is told to wait; then it adds the next piece behind what is
/// left.
///
/// Events end with an empty line, after LF, CR or CRLF (HTML standard, section 9.2.6). One that is complete
/// is never held, however it was cut. An incomplete one is let go, and the rest of it too as it comes, when
/// it has grown longer than an event without an image may be, or than an image may be.
///
///     holding --(event complete)--> holding         holding --(event too long)--> passing
///     passing --(event complete)--> holding
public struct EventHold: Sendable {
    /// What is to be done with the first bytes that are held.
    public enum Step: Equatable, Sendable {
        /// They hold no image, or not one that could be replaced.
        case letGo(byteCount: Int)
        /// They are one whole event in which there may be an image.
        case rewrite(byteCount: Int)
        /// What is left is the start of an event.
        case wait
    }

    private enum Mode {
        case holding
        /// The rest of this event goes as it is.
        case passing
    }

    private let maxPlainBytes: Int
    private let maxImageBytes: Int
    private var mode = Mode.holding
    private var ends = EventEnds()
    /// How far the held bytes have been searched for markers.
    private var searched = 0
    /// The first marker at or behind the start of the event.
    private var marker: Int?
    /// The size of an event that was found complete and with a marker behind others that go first.
    private var found: Int?

    /// Stands at the start of a stream.
    ///
    /// - Parameters:
    ///   - maxPlainBytes: how long an incomplete event without a sign of an image may be.
    ///   - maxImageBytes: how long one with such a sign may be.
    public init(maxPlainBytes: Int = 1 << 16, maxImageBytes: Int = 1 << 26) {
        self.maxPlainBytes = maxPlainBytes
        self.maxImageBytes = maxImageBytes
    }

    /// Says what to do with the first bytes that are held; the caller then drops as many.
    ///
    /// - Parameter held: all that has come and was not dropped.
    /// - Complexity: O(*n*) in the bytes that have come since the last call, about 0.2 ns a byte.
    public mutating func next(_ held: UnsafeRawBufferPointer) -> Step {
        if let found {
            self.found = nil
            return dropped(found, .rewrite(byteCount: found))
        }
        var start = 0
        while let end = ends.next(held) {
            if mode == .holding, holdsMarker(held, start..<end) {
                guard start > 0 else { return dropped(end, .rewrite(byteCount: end)) }
                found = end - start
                return dropped(start, .letGo(byteCount: start))
            }
            mode = .holding
            start = end
        }
        if mode == .passing { start = held.count } else { giveUp(held, &start) }
        return start > 0 ? dropped(start, .letGo(byteCount: start)) : .wait
    }

    /// Says what to do with what is left when the stream is over.
    ///
    /// Clients read a last event whether or not a line ends it.
    public mutating func finish(_ held: UnsafeRawBufferPointer) -> Step {
        guard !held.isEmpty else { return .wait }
        let isImage = mode == .holding && holdsMarker(held, 0..<held.count)
        self = EventHold(maxPlainBytes: maxPlainBytes, maxImageBytes: maxImageBytes)
        return isImage ? .rewrite(byteCount: held.count) : .letGo(byteCount: held.count)
    }

    /// Lets an event go that is not complete and too long.
    private mutating func giveUp(_ held: UnsafeRawBufferPointer, _ start: inout Int) {
        let count = held.count - start
        guard count > min(maxPlainBytes, maxImageBytes) else { return }
        let limit = holdsMarker(held, start..<held.count) ? maxImageBytes : maxPlainBytes
        guard count > limit else { return }
        mode = .passing
        start = held.count
    }

    /// Whether a marker lies in an event; no byte is searched twice but those that a cut may have parted.
    private mutating func holdsMarker(_ held: UnsafeRawBufferPointer, _ event: Range<Int>) -> Bool {
        if let marker, marker >= event.lowerBound { return marker < event.upperBound }
        guard searched < held.count else { return false }
        let start = max(event.lowerBound, searched - ImageMarker.mostCutBytes)
        marker = ImageMarker.first(in: held, from: start, to: held.count)?.offset
        searched = marker ?? held.count
        return marker.map { $0 < event.upperBound } ?? false
    }

    /// Counts everything from behind the bytes that the caller drops.
    private mutating func dropped(_ count: Int, _ step: Step) -> Step {
        ends.drop(count)
        searched = max(0, searched - count)
        marker = marker.flatMap { $0 < count ? nil : $0 - count }
        return step
    }
}
