internal import NIOCore
internal import Policies
internal import Wire

/// The upstream's answer while it arrives; it belongs to the request's event loop.
final class OngoingAnswer {
    enum Mode: Equatable {
        /// Passed on as it comes.
        case relaying
        /// Kept until it is complete: an error whose class decides what follows.
        case holdingError
        /// Kept until the first token, so that a stream that never starts can still be replaced.
        case holdingStream
        /// Kept until it is complete and its images are stored.
        case holdingDocument
        /// Bytes of an upgraded connection.
        case tunnel
    }

    /// More of an answer than this is not held: it is judged by what is there.
    static let maxHeldBytes = 262_144
    /// More of an answer than this is not read for its usage.
    static let maxReadBytes = 1_048_576

    let head: ResponseHead
    /// The head as it came; empty once it was passed on, since a slice keeps the whole receive buffer alive.
    var bytes: ByteBuffer
    var mode: Mode
    /// Body as it was framed, until it is relayed.
    var raw = ByteBuffer()
    /// Body without framing, where it is read.
    var payload = ByteBuffer()
    var reader: ChatStreamReader?
    var chunks = WholeChunks()
    /// Whether it goes through the exchange's ``Resumption``; the events then have chunks of our own.
    var isSpliced = false
    /// Where images of the stream become links; the events then have chunks of our own.
    var events: EventRewriting?
    /// The body with links in it, framed by its length.
    var document: ByteBuffer?
    /// Bytes of events that were passed on, where their images become links.
    var linkedCount: Int?
    /// What came of the stream while an event of it was held.
    var pendingEnd: End?
    /// Why it broke off.
    var cut = FailureClass.upstreamFault
    /// Bytes of the body so far, framing taken off.
    var byteCount = 0
    var isComplete = false
    var keepsAlive = true
    /// Whether the client gets the payload without chunk framing.
    var stripsChunking = false
    var countsAsStream = false
    var hasFirstToken = false
    /// What it makes of its conversation's place once it is confirmed.
    var move: Move?
    /// Whether breaker and memory know of it.
    var isConfirmed = false
    /// Whether the figures have the outcome of its attempt.
    var hasOutcome = false

    enum End {
        case complete, cut
    }

    struct Move {
        let place: RouteMemory.Place
        let change: Stickiness
        let wasThere: Bool
    }

    init(head: ResponseHead, bytes: ByteBuffer, mode: Mode) {
        self.head = head
        self.bytes = bytes
        self.mode = mode
    }

    var isRelaying: Bool { mode == .relaying || mode == .tunnel }
    var isChunked: Bool { head.framing == .chunked }
    var waitsForFirstToken: Bool { reader.map { !$0.sawDelta } ?? false }
    /// Whether the payload is collected: errors are classified, JSON answers are read for their usage.
    var collectsPayload: Bool { reader == nil && payload.readableBytes < Self.maxReadBytes }
    /// Whether all of the payload is collected: it is passed on without its framing.
    var takesPayload: Bool {
        stripsChunking || isSpliced || events != nil || mode == .holdingDocument && isChunked
    }
    /// Whether what was passed on ends with a whole event.
    var endsAtEvent: Bool { events?.endsAtEvent ?? chunks.endsAtEvent }

    func takePayload() -> ByteBuffer {
        defer { payload = ByteBuffer() }
        return payload
    }

    /// Bytes of the body that the client gets.
    var clientByteCount: Int { document?.readableBytes ?? linkedCount ?? byteCount }
}

@available(*, unavailable)
extension OngoingAnswer: Sendable {}

/// The primary's own answer, kept while others are tried.
struct HeldAnswer {
    let answer: OngoingAnswer
    let model: String
}
