import Policies
import TestSupport

/// A provider whose health changes by a script.
struct SimulatedTarget {
    enum Health: CaseIterable {
        case well
        /// 429, with a delay or without.
        case limited
        /// Most answers are 500.
        case failing
        /// Takes requests and is silent, until a time limit or the connection ends.
        case hanging
        /// Nothing listens.
        case gone
        /// Answers, and says that nothing is left.
        case exhausted
    }

    struct Phase {
        /// Milliseconds since the start; the phase lasts until the next one.
        var start: Int
        var health: Health
    }

    /// What comes of one request.
    enum Reply {
        case answer(exhaustedFor: Duration?)
        case failure(FailoverState.Failure, statedDelay: Duration?)
    }

    var phases: [Phase]

    /// Ill for the most part until an instant, and well from then on.
    static func flapping(until end: Int, _ random: inout SplitMix) -> SimulatedTarget {
        var phases = [Phase(start: 0, health: Bool.random(using: &random) ? .well : .limited)]
        var time = 0
        while time < end {
            time = min(end, time + Int.random(in: 2_000...40_000, using: &random))
            phases.append(Phase(start: time, health: Health.allCases.randomElement(using: &random) ?? .well))
        }
        phases[phases.count - 1].health = .well
        return SimulatedTarget(phases: phases)
    }

    private func health(at time: Int) -> Health {
        phases.last { $0.start <= time }?.health ?? .well
    }

    /// The reply, and after how many milliseconds it comes.
    ///
    /// - Parameter isReused: whether the connection may turn out to be closed.
    func reply(at time: Int, isReused: Bool, _ random: inout SplitMix) -> (Int, Reply) {
        switch health(at: time) {
        case .well:
            return wellReply(isReused: isReused, &random)
        case .limited:
            let stated = [nil, nil, Duration.seconds(1), .seconds(8), .seconds(25)]
                .randomElement(using: &random)
            let failure = [FailureClass.rateLimited, .quotaExhausted, .overloaded]
                .randomElement(using: &random)
            return (
                Int.random(in: 20...4_000, using: &random),
                .failure(.answered(failure ?? .rateLimited, status: 429), statedDelay: stated ?? nil)
            )
        case .failing:
            let latency = Int.random(in: 50...2_000, using: &random)
            if Int.random(in: 0..<5, using: &random) == 0 { return (latency, .answer(exhaustedFor: nil)) }
            return (latency, .failure(.answered(.upstreamFault, status: 500), statedDelay: nil))
        case .hanging:
            return (
                Int.random(in: 2_000...25_000, using: &random),
                .failure(.unanswered(.timeout), statedDelay: nil)
            )
        case .gone:
            return (Int.random(in: 1...30, using: &random), .failure(.unconnected, statedDelay: nil))
        case .exhausted:
            return (Int.random(in: 300...2_000, using: &random), .answer(exhaustedFor: .seconds(4)))
        }
    }

    /// Now and then a request is at fault itself, or meets a connection that was just closed.
    private func wellReply(isReused: Bool, _ random: inout SplitMix) -> (Int, Reply) {
        let latency = Int.random(in: 300...2_000, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0: return (latency, .failure(.answered(.callerFault, status: 400), statedDelay: nil))
        case 1: return (latency, .failure(.answered(.contextExceeded, status: 400), statedDelay: nil))
        case 2 where isReused: return (1, .failure(.unconnected, statedDelay: nil))
        default: return (latency, .answer(exhaustedFor: nil))
        }
    }
}
