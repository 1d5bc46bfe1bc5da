/// What is known of one client.
///
///     unknown --listed--> listed --refused, revoked--> refused --listed--> listed
///
/// That LiteLLM is unreachable changes none of these; it is only noted when that was found out.
struct VouchingRecord: Sendable {
    /// What is known, before it is settled who asks.
    enum Verdict: Equatable, Sendable {
        case yes
        /// Good, but to be renewed.
        case yesButStale
        case no
        case unknown
    }

    private enum Knowledge: Sendable {
        case unknown
        /// The answer to a question that was put at `since`.
        case listed(ModelList, since: ContinuousClock.Instant)
        case refused(since: ContinuousClock.Instant)
    }

    private var knowledge = Knowledge.unknown
    /// When a question about this client last found LiteLLM unreachable; nil behind an answer.
    private var unreachableSince: ContinuousClock.Instant?
    /// The question that is on its way.
    var question: (number: UInt64, since: ContinuousClock.Instant)?

    private static let renewedAfter = Duration.seconds(240)
    private static let yesHolds = Duration.seconds(300)
    private static let yesHoldsInOutage = Duration.seconds(24 * 3_600)
    private static let askedAgainInOutageAfter = Duration.seconds(10)
    private static let noHolds = Duration.seconds(30)
    private static let noHoldsInOutage = Duration.seconds(5)
    private static let questionHolds = Duration.seconds(15)

    /// Whether a question is on its way that can still be answered.
    func isAsking(at now: ContinuousClock.Instant) -> Bool {
        question.map { now < $0.since + Self.questionHolds } ?? false
    }

    func verdict(for model: String, at now: ContinuousClock.Instant) -> Verdict {
        switch knowledge {
        case .listed(let models, let since) where models.contains(model): yes(since: since, at: now)
        case .listed(_, let since), .refused(let since): now < since + Self.noHolds ? .no : unknown(at: now)
        case .unknown: unknown(at: now)
        }
    }

    private func yes(since: ContinuousClock.Instant, at now: ContinuousClock.Instant) -> Verdict {
        if now < since + Self.renewedAfter { return .yes }
        let mayOutlast = now < since + Self.yesHoldsInOutage
        if mayOutlast, wasUnreachable(within: Self.askedAgainInOutageAfter, of: now) { return .yes }
        if now < since + Self.yesHolds { return .yesButStale }
        // An outage that was noticed longer ago may have been over for long, and the key revoked since.
        return mayOutlast && wasUnreachable(within: Self.yesHolds, of: now) ? .yesButStale : unknown(at: now)
    }

    private func unknown(at now: ContinuousClock.Instant) -> Verdict {
        wasUnreachable(within: Self.noHoldsInOutage, of: now) ? .no : .unknown
    }

    private func wasUnreachable(within period: Duration, of now: ContinuousClock.Instant) -> Bool {
        unreachableSince.map { now < $0 + period } ?? false
    }
}

extension VouchingRecord {
    /// LiteLLM answered the question with a list, which holds from the asking: a key may be revoked while the
    /// answer is on its way.
    mutating func listed(_ models: ModelList) {
        guard let question else { return }
        knowledge = .listed(models, since: question.since)
        unreachableSince = nil
        self.question = nil
    }

    /// LiteLLM does not vouch for the client; an answer that is on its way no longer counts.
    mutating func refused(at now: ContinuousClock.Instant) {
        knowledge = .refused(since: now)
        unreachableSince = nil
        question = nil
    }

    mutating func foundUnreachable(at now: ContinuousClock.Instant) {
        unreachableSince = now
        question = nil
    }
}
