/// What LiteLLM said of its clients: whom the sidecar may spend credentials of its own for.
///
/// LiteLLM vouches for a client by listing the requested model in its answer to `GET /v1/models`, asked with
/// exactly the client's credentials. Nothing else makes a yes:
///
/// - A yes is used for 300 s from the question. From 240 s on it is renewed while nobody waits, so that a client
///   that keeps asking never does.
/// - Behind 300 s it needs a new answer before it is used. Only where LiteLLM was found unreachable within the
///   last 300 s it is used without one, up to 24 h from the last yes; LiteLLM is asked again every 10 s.
/// - A no holds for 30 s, be it that the client was refused or that the model is not listed.
/// - A client of whom LiteLLM never said yes is not vouched for while it is unreachable; that holds for 5 s.
/// - ``revoke(_:at:)`` makes a no of all that was said before, and of an answer that is still on its way.
///
/// So a client whose key is revoked is refused 300 s later at the latest, outages of LiteLLM aside. One question
/// at a time is put for a client. One that is not answered for 15 s is given up: the caller must have answered
/// it before, with ``VouchingRecords/Finding/unreachable`` if need be.
///
/// Bounded: at capacity the client that came first is forgotten, and then asked for anew.
///
/// A value without timers: the caller passes the present instant, and puts the questions.
public struct VouchingRecords: Sendable {
    private let capacity: Int
    private var records: [StableDigest: VouchingRecord] = [:]
    /// The clients in the order in which they came; once full, a ring that begins at ``oldest``.
    private var arrivals: [StableDigest] = []
    private var oldest = 0
    private var lastQuestion: UInt64 = 0
    /// Lists that were learned last: most clients are given one of a few, which is then stored once.
    private var recentLists: [ModelList] = []
    private static let maxRecentLists = 16

    /// - Precondition: `capacity` is at least 1.
    public init(capacity: Int = 10_000) {
        precondition(capacity > 0, "room for no client")
        self.capacity = capacity
    }

    /// How many clients are remembered.
    public var count: Int { records.count }

    /// Whether a client may use a model.
    ///
    /// With ``Answer/ask(_:)`` and ``Answer/yesButRenew(_:)`` the question counts as put. Behind its answer
    /// ``vouches(for:model:at:)`` says what it means for each request that waited.
    ///
    /// - Parameter client: a digest of all credentials of a request, under a random key.
    /// - Complexity: O(log *n*) in the models that are listed for the client, O(*n*) in patterns among them.
    public mutating func lookUp(
        _ client: StableDigest,
        model: String,
        at now: ContinuousClock.Instant
    ) -> Answer {
        var record = records[client] ?? VouchingRecord()
        switch (record.verdict(for: model, at: now), record.isAsking(at: now)) {
        case (.yes, _), (.yesButStale, true): return .yes
        case (.no, _): return .no
        case (.unknown, true): return .wait
        case (.yesButStale, false): return .yesButRenew(put(for: client, &record, at: now))
        case (.unknown, false): return .ask(put(for: client, &record, at: now))
        }
    }

    /// Whether a client may use a model by what is known now: for a request that has waited for an answer.
    ///
    /// Puts no question. A client that was revoked or forgotten meanwhile is not vouched for.
    public func vouches(for client: StableDigest, model: String, at now: ContinuousClock.Instant) -> Bool {
        switch records[client]?.verdict(for: model, at: now) {
        case .yes, .yesButStale: true
        case .no, .unknown, nil: false
        }
    }

    /// A question was answered, or was not.
    ///
    /// No effect where the client was revoked since it was put, was forgotten, or is asked for anew.
    ///
    /// - Complexity: O(*n* log *n*) in the models that are listed.
    public mutating func learned(_ finding: Finding, to question: Question, at now: ContinuousClock.Instant) {
        guard var record = records[question.client], record.question?.number == question.number else {
            return
        }
        switch finding {
        case .listed(let models): record.listed(shared(ModelList(models)))
        case .refused: record.refused(at: now)
        case .unreachable: record.foundUnreachable(at: now)
        }
        records[question.client] = record
    }

    /// LiteLLM refused the client's credentials, or one of its own limits on them was reached.
    ///
    /// - Complexity: O(1).
    public mutating func revoke(_ client: StableDigest, at now: ContinuousClock.Instant) {
        records[client]?.refused(at: now)
    }
}

extension VouchingRecords {
    private mutating func put(
        for client: StableDigest,
        _ record: inout VouchingRecord,
        at now: ContinuousClock.Instant
    ) -> Question {
        lastQuestion += 1
        record.question = (lastQuestion, now)
        if records.updateValue(record, forKey: client) == nil { arrived(client) }
        return Question(client: client, number: lastQuestion)
    }

    private mutating func arrived(_ client: StableDigest) {
        guard arrivals.count == capacity else { return arrivals.append(client) }
        records[arrivals[oldest]] = nil
        arrivals[oldest] = client
        oldest = (oldest + 1) % capacity
    }

    private mutating func shared(_ list: ModelList) -> ModelList {
        if let same = recentLists.first(where: { $0 == list }) { return same }
        if recentLists.count == Self.maxRecentLists { recentLists.removeFirst() }
        recentLists.append(list)
        return list
    }
}
