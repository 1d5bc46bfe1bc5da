internal import NIOCore
internal import Policies
internal import Wire

/// What is remembered of a request that has ended.
///
/// Values as they stand in its record: they are put into words when somebody asks for them.
struct RecentRequest: Sendable {
    /// When it ended: seconds since 1970.
    let time: Double
    let id: String
    let traceID: String
    let listener: ProxyListener.Name
    let dialect: Dialect
    let host: String?
    let route: String?
    let assignment: Variant.Assignment?
    let requestedModel: String
    let model: String
    let plan: [Attempt]
    let outcomes: [FailoverState.Entry]
    let status: Int
    let isStream: Bool
    let duration: TimeAmount
    /// Nil where no token came.
    let timeToFirstToken: TimeAmount?
    let overhead: TimeAmount
    let usage: Usage?
    let countedTokens: Int?
    let clip: Clip?
    let images: ImageCounts
    let answerImages: ImageCounts
    let bytesIn: Int
    let bytesOut: Int
    let error: String?
    let road: Road?

    /// What its history was cut to.
    struct Clip: Encodable, Sendable {
        let dropped: Int
        let kept: Int
        let before: Int
        let after: Int
        let budget: Int
    }

    /// The hop and the rung by which it went.
    struct Road: Sendable {
        let hop: String
        let rung: String
    }

    /// Whether there is a receipt that says more.
    var hasReceipt: Bool { clip != nil || images[.dropped] > 0 }

    /// Takes over what a record holds at the end of its request.
    ///
    /// Clients choose names, and may choose long ones: they are shortened, so that the memory is bounded.
    init(_ record: RequestRecord, time: Double = Clock.epochSeconds(), ended: NIODeadline) {
        self.time = time
        id = record.id.shortened
        traceID = record.traceID
        listener = record.listener.name
        dialect = record.dialect
        host = record.host?.shortened
        route = record.route
        assignment = record.assignment
        requestedModel = record.requestedModel.shortened
        model = record.model.shortened
        plan = record.plan?.attempts.shortened ?? []
        outcomes = record.outcomes.shortened
        status = record.status
        isStream = record.isStream
        duration = ended - record.started
        timeToFirstToken = record.firstToken.map { $0 - record.started }
        overhead = .nanoseconds(record.overhead)
        usage = record.usage
        countedTokens = record.countedTokens
        clip = record.clip.map(Clip.init)
        images = record.images
        answerImages = record.answerImages
        bytesIn = record.bytesIn
        bytesOut = record.bytesOut
        error = record.error
        road = record.road.map { Road(hop: $0.hop, rung: $0.rung) }
    }
}

extension RecentRequest.Clip {
    init(_ receipt: ClipReceipt) {
        let dropped = receipt.dropped
        self.init(
            dropped: dropped,
            kept: receipt.lines.count - dropped,
            before: receipt.before,
            after: receipt.after,
            budget: receipt.budget.tokens
        )
    }
}

/// What names a target.
private protocol NamesTarget {
    var target: Target { get set }
}

extension Attempt: NamesTarget {}
extension FailoverState.Entry: NamesTarget {}

extension Array where Element: NamesTarget {
    /// The same array, not a copy, where no name is long.
    fileprivate var shortened: [Element] {
        guard contains(where: { $0.target.model.isLong }) else { return self }
        return map { element in
            var element = element
            element.target.model = element.target.model.shortened
            return element
        }
    }
}

extension String {
    /// The longest name that is kept, in bytes.
    private static let most = 200

    fileprivate var isLong: Bool { utf8.count > Self.most }

    /// Ends in an ellipsis where it was longer; never in half a scalar.
    fileprivate var shortened: String {
        isLong ? String(decoding: utf8.prefix(Self.most), as: UTF8.self).droppingBrokenEnd + "…" : self
    }

    private var droppingBrokenEnd: Substring { last == "\u{FFFD}" ? dropLast() : self[...] }
}
