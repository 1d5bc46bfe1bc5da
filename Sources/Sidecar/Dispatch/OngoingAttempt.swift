internal import Egress
internal import NIOCore
internal import Policies

/// The attempt that is under way; it belongs to the request's event loop.
final class OngoingAttempt {
    let place: Int
    let target: Target
    let upstream: UpstreamReference
    /// Nil where no breaker guards the request.
    var ticket: CircuitBreaker.Ticket?
    var isProbe = false
    /// The wait for a connection, until there is one.
    var awaited: AwaitedConnection?
    var connection: UpstreamHandler?
    /// The road of the connection used last; nil where no hop leads to the upstream.
    var road: Road?
    /// Rungs of the hop that do not serve this request.
    var triedRungs: [Rung] = []
    /// An answer that says that the provider does not serve the place of a rung, while another is tried.
    var blockedAnswer: OngoingAnswer?
    /// Whether another was tried for that reason.
    var hasLeftBlockedRung = false
    /// Nil until there was a connection to send on.
    var sent: NIODeadline?
    var budget: Budget?
    /// The images of the body in the target's form; nil until they are known.
    var images: PreparedImages?
    var body: ByteBuffer?
    /// Where the messages of a chat lie in it.
    var messages: Range<Int>?
    var isEdited = false
    var countedTokens: Int?
    var wasClipped = false
    /// The start of the answer that the target is given to go on from.
    var prefill: [UInt8]?
    /// Whether it would not have one.
    var refusesPrefill = false

    init(place: Int, target: Target, upstream: UpstreamReference) {
        self.place = place
        self.target = target
        self.upstream = upstream
    }

    /// Lets go of the connection, or of the wait for one: nothing that comes of it concerns the request any more.
    func abandonConnection() {
        awaited.take()?.exchange = nil
        connection.take()?.abandon()
    }
}

@available(*, unavailable)
extension OngoingAttempt: Sendable {}

/// The state of the failover behind one reference: copied in and out for every event it would cost more than the
/// events do.
final class Failover {
    var state: FailoverState

    init(_ state: FailoverState) {
        self.state = state
    }
}

@available(*, unavailable)
extension Failover: Sendable {}

/// A connection that is being opened, and the exchange that waits for it.
final class AwaitedConnection {
    /// Nil once nobody waits any more; the connection then goes into the pool.
    var exchange: Exchange?

    init(for exchange: Exchange) {
        self.exchange = exchange
    }
}

@available(*, unavailable)
extension AwaitedConnection: Sendable {}
