internal import Policies
internal import Synchronization

/// The targets that could not fetch an image by its address lately: they get images within the request.
final class ImageFetches: Sendable {
    /// Until they are sent addresses again.
    private static let memory = Duration.seconds(3_600)
    private static let mostTargets = 1_024

    private let failures = Mutex<[Target: ContinuousClock.Instant]>([:])

    func failed(_ target: Target) -> Bool {
        failures.withLock { failures in
            guard let failure = failures[target] else { return false }
            return failure.duration(to: .now) < Self.memory
        }
    }

    func noteFailure(of target: Target) {
        failures.withLock { failures in
            if failures.count >= Self.mostTargets { failures.removeAll() }
            failures[target] = .now
        }
    }
}
