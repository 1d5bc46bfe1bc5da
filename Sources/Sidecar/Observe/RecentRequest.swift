internal import NIOCore
internal import Policies
internal import Wire

/// What is told of a request that has ended.
///
/// Values as they stand in its record: they are put into words beside the event loop.
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
    let clip: ClipFigures?
    let images: ImageCounts
    let answerImages: ImageCounts
    let bytesIn: Int
    let bytesOut: Int
    let error: String?
    let road: Road?

    /// The hop and the rung by which it went.
    struct Road: Sendable {
        let hop: String
        let rung: String
    }

    /// Whether there is a receipt that says more.
    var hasReceipt: Bool { clip != nil || images[.dropped] > 0 }

    init(_ record: RequestRecord, time: Double, ended: NIODeadline) {
        self.time = time
        id = record.id
        traceID = record.traceID
        listener = record.listener.name
        dialect = record.dialect
        host = record.host
        route = record.route
        assignment = record.assignment
        requestedModel = record.requestedModel
        model = record.model
        plan = record.plan?.attempts ?? []
        outcomes = record.outcomes
        status = record.status
        isStream = record.isStream
        duration = ended - record.started
        timeToFirstToken = record.firstToken.map { $0 - record.started }
        overhead = .nanoseconds(record.overhead)
        usage = record.usage
        countedTokens = record.countedTokens
        clip = record.clip
        images = record.images
        answerImages = record.answerImages
        bytesIn = record.bytesIn
        bytesOut = record.bytesOut
        error = record.error
        road = record.road.map { Road(hop: $0.hop, rung: $0.rung) }
    }
}
