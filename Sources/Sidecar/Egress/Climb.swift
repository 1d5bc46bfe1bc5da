internal import Egress
internal import NIOCore

/// Opens one connection by a hop: rung after rung, until one leads to the destination.
///
/// It belongs to the event loop of whoever wants the connection.
final class Climb {
    /// Where to, and how to see that a rung leads there.
    struct Goal {
        let destination: Destination
        /// Whether the origin is greeted by TLS, which proves the rung; without it the first byte does, which whoever
        /// uses the connection sees.
        let isTLS: Bool
        let allowsPrivate: Bool
        /// Whether one direction stays open when the other has ended.
        let keepsHalfOpen: Bool
    }

    /// Adds the handlers of whoever uses a connection.
    typealias Configure = (any Channel, Road) throws -> Void
    typealias Ended = (Result<(any Channel, Road), RoadFault>) -> Void

    private let hop: Hop
    private let goal: Goal
    private let loop: LoopContext
    private let settings: EgressSettings
    private let configure: Configure
    private let ended: Ended
    /// The rungs that this connection has tried, in their order.
    private(set) var tried: [Rung]
    /// The rungs that did not lead there, and why not.
    private(set) var faults: [(rung: Rung, fault: RoadFault)] = []
    private var isCancelled = false
    /// What remembers the tries for spans; nil without tracing.
    var trace: RequestTrace?

    /// - Parameter tried: rungs that are known not to lead there.
    init(
        _ hop: Hop,
        to goal: Goal,
        after tried: [Rung] = [],
        loop: LoopContext,
        settings: EgressSettings,
        configure: @escaping Configure,
        ended: @escaping Ended
    ) {
        self.hop = hop
        self.goal = goal
        self.tried = tried
        self.loop = loop
        self.settings = settings
        self.configure = configure
        self.ended = ended
    }

    /// Tries the next rung; `ended` is called once for every call, on the event loop.
    func next() {
        guard case .attempt(let rung, let ticket) = hop.next(after: tried) else {
            return ended(.failure(faults.last?.fault ?? .unreachable))
        }
        tried.append(rung)
        let road = Road(hop, rung, ticket, loop: loop)
        let opening = RoadOpening(road, to: goal, loop: loop, settings: settings, configure: configure)
        let bound = NIOLoopBound((self, road), eventLoop: loop.eventLoop)
        opening.start().assumeIsolated().whenComplete { result in
            let (climb, road) = bound.value
            climb.finished(road, result)
        }
    }

    /// Nobody wants the connection any more.
    func cancel() {
        isCancelled = true
    }

    private func finished(_ road: Road, _ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel) where isCancelled:
            road.wasAbandoned()
            channel.close(promise: nil)
        case .success(let channel):
            trace?.opened(road, span: loop.random.next().low)
            ended(.success((channel, road)))
        case .failure where isCancelled:
            // What went wrong may be no more than that nobody took the connection.
            road.wasAbandoned()
        case .failure(let error):
            let fault = RoadFault(error)
            failed(road, by: fault)
            // Another rung would lead to where nobody may go.
            if fault == .privateAddress { return ended(.failure(fault)) }
            next()
        }
    }

    /// A road led nowhere, as is found out now.
    func failed(_ road: Road, by fault: RoadFault) {
        road.failed(by: fault)
        trace?.opened(road, span: loop.random.next().low, fault: fault.label)
        faults.append((road.rung, fault))
    }
}

@available(*, unavailable)
extension Climb: Sendable {}
