internal import NIOCore
internal import Wire

/// The answer as the client has it, while another attempt may have to go on with it; it belongs to the request's event
/// loop.
final class Resumption {
    var splice = SplicedAnswer()
    /// Whether the client has the answer's head.
    var hasBegun = false
    /// Whether its connection is used again.
    var keepsAlive = true
    /// What waits for the head.
    var held = ByteBuffer()
    /// Where images of the stream become links.
    var events: EventRewriting?
    /// Bytes of events that went out before the present attempt.
    var earlierByteCount = 0
    /// What the first attempt that said so said went wrong.
    var errorEvent: [UInt8]?

    /// Whether what the client has ends with a whole event.
    var endsAtEvent: Bool { splice.endsAtEvent && events?.endsAtEvent ?? true }
}

@available(*, unavailable)
extension Resumption: Sendable {}
