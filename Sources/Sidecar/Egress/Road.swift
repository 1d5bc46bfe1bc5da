internal import Egress
internal import NIOCore
internal import Policies
internal import Telemetry

/// One try of one rung, and what came of it; it belongs to its connection's event loop.
///
/// It is settled once: the first word on whether the rung works goes to the hop and into the figures.
final class Road {
    let hop: Hop
    let rung: Rung
    private let ticket: CircuitBreaker.Ticket
    /// Whether nobody waits for it but the one who wants to know whether the rung works.
    private let isProbe: Bool
    private let loop: LoopContext
    let started = NIODeadline.now()
    /// When bytes could be sent to the destination; nil until then.
    private var opened: NIODeadline?
    private(set) var isSettled = false

    init(
        _ hop: Hop,
        _ rung: Rung,
        _ ticket: CircuitBreaker.Ticket,
        isProbe: Bool = false,
        loop: LoopContext
    ) {
        self.hop = hop
        self.rung = rung
        self.ticket = ticket
        self.isProbe = isProbe
        self.loop = loop
    }

    /// The rung has taken the connection; some tell only later whether it leads anywhere.
    func wasOpened() {
        opened = .now()
    }

    /// The destination has said something by it.
    func worked() {
        guard settle("ok") else { return }
        if isProbe { hop.proved(rung, ticket) } else { hop.worked(rung, ticket) }
    }

    func failed(by fault: RoadFault) {
        guard settle(fault.label) else { return }
        hop.failed(rung, ticket, by: fault)
    }

    /// Whoever wanted it has left before it was known.
    func wasAbandoned() {
        guard settle("abandoned") else { return }
        hop.abandoned(rung, ticket)
    }

    /// The provider does not serve the place that the rung comes out at.
    func wasBlocked() {
        hop.wasBlocked(rung)
        loop.metrics.add(.egressConnections, labels(FailureClass.regionBlocked.rawValue))
    }

    private func settle(_ result: String) -> Bool {
        guard !isSettled else { return false }
        isSettled = true
        let labels = labels(result)
        loop.metrics.add(.egressConnections, labels)
        let seconds = Double(((opened ?? .now()) - started).nanoseconds) / 1e9
        loop.metrics.observe(.egressConnect, labels, seconds)
        return true
    }

    /// Results are the labels of faults and a few words, rungs those of the configuration: closed sets both.
    private func labels(_ result: String) -> Labels {
        Labels(hop.label, Label(rung.label), Label(result))
    }
}

@available(*, unavailable)
extension Road: Sendable {}

extension RoadFault {
    /// What went wrong on the way, whoever noticed it.
    init(_ error: any Error) {
        self = error as? RoadFault ?? .unreachable
    }
}
