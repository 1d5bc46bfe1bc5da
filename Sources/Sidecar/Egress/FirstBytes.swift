internal import NIOCore

/// What a client has said before anything came back, kept so that another rung can be told the same.
struct FirstBytes {
    /// More is not kept once it was sent, and not read before.
    static let limit = 65_536

    /// Nil once they cannot be said again: an answer has begun, or there were too many.
    private(set) var kept: ByteBuffer? = ByteBuffer()

    /// Whether more may be read while they wait for a road.
    var hasRoom: Bool { (kept?.readableBytes ?? 0) < Self.limit }

    /// Keeps bytes that wait for a road.
    mutating func hold(_ bytes: ByteBuffer) {
        kept?.writeImmutableBuffer(bytes)
    }

    /// Keeps bytes that are on their way, unless they become too many.
    mutating func sent(_ bytes: ByteBuffer) {
        kept?.writeImmutableBuffer(bytes)
        if (kept?.readableBytes ?? 0) > Self.limit { kept = nil }
    }

    /// An answer has begun: whatever happens, nothing can be said again.
    mutating func wereAnswered() {
        kept = nil
    }
}
