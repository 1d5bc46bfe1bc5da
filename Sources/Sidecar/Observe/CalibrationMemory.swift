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

    var errors: [Calibration.Subject: CountError] { calibration.withLock { $0.errors } }

    func note(reported: Int, counted: Int, of subject: Calibration.Subject) {
        calibration.withLock {
            $0.note(reported: reported, counted: counted, of: subject)
            factorCount.set(to: $0.factors.count)
        }
    }
}
