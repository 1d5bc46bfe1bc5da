internal import Policies
internal import Telemetry

/// The settings that one request goes by: those of the file, or those of an experiment's arm.
final class Variant: Sendable {
    let configuration: Configuration
    /// Nil outside of experiments.
    let assignment: Assignment?
    let experimentLabel: Label
    let armLabel: Label

    /// The arm of an experiment that a request was given.
    struct Assignment: Equatable, Sendable {
        let experiment: String
        let arm: String

        var byteCount: Int { experiment.utf8.count + arm.utf8.count }
    }

    init(_ configuration: Configuration, assignment: Assignment? = nil) {
        self.configuration = configuration
        self.assignment = assignment
        experimentLabel = assignment.map { Label($0.experiment) } ?? .none
        armLabel = assignment.map { Label($0.arm) } ?? .none
    }
}
