/// When spans that were not taken are sent again.
///
/// The statuses are those of the OTLP specification, "OTLP/HTTP Response":
/// <https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes>.
public struct ExportRetry: Equatable, Sendable {
    /// What came of a request.
    public enum Outcome: Equatable, Sendable {
        case taken
        case refused(status: Int, retryAfter: Duration?)
        /// No answer: nobody there, or too late.
        case unanswered
    }

    /// What is to be done.
    public enum Action: Equatable, Sendable {
        case done
        case again(after: Duration)
        case giveUp
    }

    private static let mostTries = 5
    private static let firstPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(30)

    private var tries = 0

    /// For a batch that was not sent yet.
    public init() {}

    /// A request is over.
    ///
    /// - Parameter chance: 0..<1, which spreads the pauses of many senders.
    public mutating func ended(_ outcome: Outcome, chance: Double) -> Action {
        tries += 1
        switch outcome {
        case .taken: return .done
        case .refused(let status, let stated):
            guard [429, 502, 503, 504].contains(status), tries < Self.mostTries else { return .giveUp }
            return .again(after: stated.map { min($0, Self.longestPause) } ?? pause(chance))
        case .unanswered:
            return tries < Self.mostTries ? .again(after: pause(chance)) : .giveUp
        }
    }

    /// 1 s, 2 s, 4 s, 8 s, each less up to a half.
    private func pause(_ chance: Double) -> Duration {
        let whole = Self.firstPause * (1 << (tries - 1))
        return min(whole, Self.longestPause) * (1 - chance / 2)
    }
}
