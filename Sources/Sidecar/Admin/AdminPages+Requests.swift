internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Policies
internal import Wire

/// The requests that ended last.
extension AdminPages {
    /// The newest of all loops; put into words beside the event loop.
    func recentRequests(on eventLoop: any EventLoop) -> EventLoopFuture<AdminPage> {
        let kept = loops.map { loop in loop.eventLoop.submit { loop.value.recentRequests.oldestFirst } }
        return EventLoopFuture.whenAllSucceed(kept, on: eventLoop).flatMap { kept in
            NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
                AdminPage.json(
                    ShownRequests(requests: RecentRequests.newest(of: kept).map(ShownRequest.init))
                )
            }
        }.recover { _ in AdminPage(status: .serviceUnavailable, body: "stopping\n") }
    }
}

extension Double {
    /// Seconds since 1970 as logs write them: `2026-11-21T04:10:01.401Z`.
    var timestamp: String {
        Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(Date(timeIntervalSince1970: self))
    }
}

/// The answer to `GET /requests`: newest first.
private struct ShownRequests: Encodable {
    let requests: [ShownRequest]
}

/// A request under the names that its log line has.
///
/// `plan` is beside them, attempts are taken apart, and `receipt` says whether `GET /receipts/ID` knows more.
struct ShownRequest: Encodable {
    struct Planned: Encodable {
        let target: String
        /// The largest prompt it would get, in tokens of `encoding`; nil where nothing limits it.
        let budget: Int?
        let encoding: String?
    }

    struct Tried: Encodable {
        let target: String
        let outcome: String
    }

    let time: String
    let requestID: String
    let traceID: String
    let listener: String
    let dialect: String
    let host: String?
    let route: String?
    let experiment: String?
    let arm: String?
    let requestedModel: String?
    let model: String?
    let plan: [Planned]
    let attempts: [Tried]
    let status: Int
    let stream: Bool
    let duration: Double
    let timeToFirstToken: Double?
    let overhead: Double
    let tokensIn: Int?
    let tokensOut: Int?
    let tokensCounted: Int?
    let clip: ClipFigures?
    let images: [String: Int]?
    let bytesIn: Int
    let bytesOut: Int
    let error: String?
    let hop: String?
    let rung: String?
    let receipt: Bool

    private enum CodingKeys: String, CodingKey {
        case requestID = "request_id"
        case traceID = "trace_id"
        case requestedModel = "requested_model"
        case duration = "duration_ms"
        case timeToFirstToken = "ttft_ms"
        case overhead = "overhead_ms"
        case tokensIn = "tokens_in"
        case tokensOut = "tokens_out"
        case tokensCounted = "tokens_counted"
        case bytesIn = "bytes_in"
        case bytesOut = "bytes_out"
        case time, listener, dialect, host, route, experiment, arm, model, plan, attempts, status, stream,
            clip
        case images, error, hop, rung, receipt
    }
}

extension ShownRequest {
    init(_ request: RecentRequest) {
        time = request.time.timestamp
        requestID = request.id
        traceID = request.traceID
        listener = request.listener.rawValue
        dialect = request.dialect.rawValue
        host = request.host
        route = request.route
        experiment = request.assignment?.experiment
        arm = request.assignment?.arm
        requestedModel = request.requestedModel.nonEmpty
        model = request.model.nonEmpty
        plan = request.plan.map { .init($0) }
        attempts = request.outcomes.map { .init(target: $0.target.shownName, outcome: $0.result) }
        status = request.status
        stream = request.isStream
        duration = request.duration.milliseconds
        timeToFirstToken = request.timeToFirstToken?.milliseconds
        overhead = request.overhead.milliseconds
        tokensIn = request.usage?.promptTokens
        tokensOut = request.usage?.completionTokens
        tokensCounted = request.countedTokens
        clip = request.clip
        images = request.imageFields
        bytesIn = request.bytesIn
        bytesOut = request.bytesOut
        error = request.error
        hop = request.road?.hop
        rung = request.road?.rung
        receipt = request.hasReceipt
    }
}

extension Target {
    /// The upstream alone where nobody has said which model.
    fileprivate var shownName: String { model.isEmpty ? upstream : name }
}

extension ShownRequest.Planned {
    fileprivate init(_ attempt: Attempt) {
        self.init(
            target: attempt.target.shownName,
            budget: attempt.budget?.tokens,
            encoding: attempt.budget?.counting.encoding
        )
    }
}

extension RecentRequest {
    /// Nil for a request without images.
    fileprivate var imageFields: [String: Int]? {
        let fields = images.fields(with: answerImages)
        guard !fields.isEmpty else { return nil }
        return Dictionary(fields.map { ("\($0.name)", $0.value) }, uniquingKeysWith: +)
    }
}

extension TimeAmount {
    /// To the microsecond.
    fileprivate var milliseconds: Double { Double(nanoseconds / 1000) / 1000 }
}

extension String {
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
