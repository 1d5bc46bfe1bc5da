internal import Egress
internal import NIOCore

/// Tries rungs that failed in the background, so that a request need not find out whether they work again.
///
/// Runs on one event loop. What is tried is what requests ask of a rung: a connection to a host that the
/// configuration sends by the hop, up to the end of its TLS handshake.
final class HopProbing {
    private let loop: LoopContext
    private var latest = NIODeadline.now()

    init(on loop: LoopContext) {
        self.loop = loop
    }

    /// Time has passed; called with every tick.
    func tick(now: NIODeadline) {
        let configuration = loop.snapshot.configuration
        guard let interval = configuration.egress.probe, now - latest >= TimeAmount(interval) else { return }
        latest = now
        for hop in loop.shared.hops.all {
            guard let goal = configuration.probeGoal(of: hop.name) else { continue }
            for (rung, ticket) in hop.dueProbes() {
                probe(Road(hop, rung, ticket, isProbe: true, loop: loop), goal, configuration.egress)
            }
        }
    }

    private func probe(_ road: Road, _ goal: Climb.Goal, _ settings: EgressSettings) {
        let opening = RoadOpening(road, to: goal, loop: loop, settings: settings) { _, _ in }
        let bound = NIOLoopBound(road, eventLoop: loop.eventLoop)
        opening.start().assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel):
                // Without TLS an open road is all that can be seen.
                bound.value.worked()
                channel.close(promise: nil)
            case .failure(let error):
                bound.value.failed(by: RoadFault(error))
            }
        }
    }
}

@available(*, unavailable)
extension HopProbing: Sendable {}

extension Configuration {
    /// What a hop is tried with: an upstream that goes by it, or a host that is written out; nil where neither is.
    func probeGoal(of hop: String) -> Climb.Goal? {
        if let url = upstreams.values.filter({ $0.hop == hop }).map(\.url).min(by: { $0.host < $1.host }) {
            return Climb.Goal(
                destination: Destination(host: url.host, port: url.port),
                isTLS: url.isTLS,
                allowsPrivate: true,
                keepsHalfOpen: false
            )
        }
        let hosts = egress.forward.filter { $0.hop == hop }.flatMap(\.hosts)
        guard let host = hosts.first(where: \.isLiteral), let name = host.literal else { return nil }
        return Climb.Goal(
            destination: Destination(host: name, port: host.port),
            isTLS: true,
            allowsPrivate: AddressRule.isPrivate(literal: name) == true,
            keepsHalfOpen: false
        )
    }
}
