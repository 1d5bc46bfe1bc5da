/// Decides whether the spans of a trace are kept, by the rules of OpenTelemetry's samplers.
///
/// Specification: <https://opentelemetry.io/docs/specs/otel/trace/sdk/#built-in-samplers>.
public struct TraceSampler: Equatable, Sendable {
    /// What decides where the caller did not.
    public enum Rule: Equatable, Sendable {
        case always
        case never
        /// A share of all traces, drawn by their ids, so that every process keeps the same ones.
        case share(Double)
    }

    /// What decides where the caller's decision does not.
    public var rule: Rule
    /// Whether the caller's own decision comes first.
    public var followsParent: Bool

    /// A sampler that goes by a rule, and by the caller first where it follows it.
    public init(_ rule: Rule, followsParent: Bool) {
        self.rule = rule
        self.followsParent = followsParent
    }

    /// What OpenTelemetry takes when nothing is said: `parentbased_always_on`.
    public static let standard = TraceSampler(.always, followsParent: true)

    /// Reads the values of `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
    ///
    /// - Parameter argument: the share, 0...1; anything else counts as 1, as the specification says.
    /// - Returns: nil for a name that is not known.
    public init?(named name: String, argument: String?) {
        var share: Rule {
            let value = argument.flatMap { Double($0) } ?? 1
            return .share((0...1).contains(value) ? value : 1)
        }
        switch name {
        case "always_on": self.init(.always, followsParent: false)
        case "always_off": self.init(.never, followsParent: false)
        case "traceidratio": self.init(share, followsParent: false)
        case "parentbased_always_on": self.init(.always, followsParent: true)
        case "parentbased_always_off": self.init(.never, followsParent: true)
        case "parentbased_traceidratio": self.init(share, followsParent: true)
        default: return nil
        }
    }

    /// Whether the spans of a trace are kept.
    ///
    /// - Parameters:
    ///   - traceLow: the second half of the trace's id, which is random (W3C Trace Context, section 3.2.2.3).
    ///   - parent: the caller's decision; nil where there is no caller that traces.
    public func keeps(traceLow: UInt64, parent: Bool?) -> Bool {
        if followsParent, let parent { return parent }
        switch rule {
        case .always: return true
        case .never: return false
        // 63 bits, as the SDKs compare them; a share of 1 is every trace.
        case .share(let share): return share >= 1 || Double(traceLow >> 1) < share * 0x1p63
        }
    }
}
