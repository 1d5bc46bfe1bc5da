internal import NIOCore
internal import Wire

/// The events of a streamed answer on their way to the client: one that may hold an image waits until its image is
/// stored, and with it all that follow.
///
/// It belongs to the request's event loop.
final class EventRewriting {
    enum Step {
        /// These go to the client.
        case pass(ByteBuffer)
        /// This event is to be looked at; nothing else moves until it is ``rewritten()``.
        case rewrite(ByteBuffer)
        case wait
    }

    private var hold = EventHold()
    private var held = ByteBuffer()
    /// Whether an event is being looked at.
    private(set) var isRewriting = false
    /// Whether what was passed on ends with a whole event.
    private(set) var endsAtEvent = true
    private var isOver = false

    var heldCount: Int { held.readableBytes }

    /// Takes what arrived next, framing taken off.
    func take(_ payload: ByteBuffer) {
        if held.readableBytes == 0 { held = payload } else { held.writeImmutableBuffer(payload) }
    }

    /// Makes room for a large event at once: growing would copy it again and again.
    func reserve(_ byteCount: Int) {
        held.reserveCapacity(byteCount)
    }

    /// The stream is complete: what is left of it is its last event.
    func end() {
        isOver = true
    }

    func rewritten() {
        isRewriting = false
    }

    func next() -> Step {
        guard !isRewriting else { return .wait }
        let isOver = isOver
        let step = held.withUnsafeReadableBytes { raw in
            let step = hold.next(raw)
            return step == .wait && isOver ? hold.finish(raw) : step
        }
        switch step {
        case .wait: return .wait
        case .letGo(let byteCount):
            guard let events = drop(byteCount) else { return .wait }
            endsAtEvent = events.endsWithEmptyLine
            return .pass(events)
        case .rewrite(let byteCount):
            guard let event = drop(byteCount) else { return .wait }
            isRewriting = true
            endsAtEvent = event.endsWithEmptyLine
            return .rewrite(event)
        }
    }

    private func drop(_ byteCount: Int) -> ByteBuffer? {
        let slice = held.readSlice(length: byteCount)
        // An empty slice would keep the whole receive buffer alive.
        if held.readableBytes == 0 { held = ByteBuffer() }
        return slice
    }
}

extension ByteBuffer {
    fileprivate var endsWithEmptyLine: Bool {
        let end = readableBytesView.suffix(4).filter { $0 != 0x0D }.suffix(2)
        return end.elementsEqual([0x0A, 0x0A])
    }
}

@available(*, unavailable)
extension EventRewriting: Sendable {}
