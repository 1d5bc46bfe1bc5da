internal import Policies
internal import Synchronization

/// What the event loops have learned about the errors of counts; kept over a reload.
final class CalibrationMemory: Sendable {
    private let calibration = Mutex(Calibration())
    /// Read without the lock: mostly there is none.
    private let factorCount = Gauge()

    /// What raises the token scale of models that are calibrated.
    var factors: [Calibration.Subject: Double] {
        factorCount.value == 0 ? [:] : calibration.withLock { $0.factors }
    }

    var errors: [(subject: Calibration.Subject, error: CountError)] { calibration.withLock { $0.errors } }

    /// Where the errors of a subject are kept; nil where there is no room for another.
    func place(of subject: Calibration.Subject) -> Int? {
        calibration.withLock { $0.place(of: subject) }
    }

    func note(_ ratio: Double, at place: Int) {
        calibration.withLock {
            $0.note(ratio, at: place)
            factorCount.set(to: $0.factors.count)
        }
    }
}
