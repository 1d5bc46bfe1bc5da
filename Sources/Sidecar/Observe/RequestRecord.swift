internal import NIOCore
internal import Policies
internal import Telemetry
internal import Wire

/// What happened to one request; becomes its log line and its figures.
///
/// A reference, because its many texts are handed around while the request goes on; it belongs to the request's
/// event loop.
final class RequestRecord {
    let id: String
    let traceID: String
    let listener: ListenerIdentity
    let dialect: Dialect
    let started: NIODeadline
    var route: String?
    var requestedModel = ""
    var assignment: Variant.Assignment?
    var conversation: StableDigest?
    var model = ""
    /// What was decided, before anything was sent; nil for a request that was refused at once.
    var plan: Plan?
    var outcomes: [FailoverState.Entry] = []
    var status = 0
    var isStream = false
    var firstToken: NIODeadline?
    /// Nanoseconds that the sidecar spent deciding and editing.
    var overhead: Int64 = 0
    var usage: Usage?
    var countedTokens: Int?
    var clip: ClipFigures?
    /// What became of the images of the request, and of those of the answer.
    var images = ImageCounts()
    var answerImages = ImageCounts()
    /// Nanoseconds that it waited for images to be stored.
    var upload: Int64 = 0
    var imageBytes = ImageBytes()
    var figures = RequestFigures()
    var bytesIn = 0
    var bytesOut = 0
    var upstreamBytesIn = 0
    var upstreamBytesOut = 0
    var error: String?
    /// The host that the egress listener was asked for.
    var host: String?
    /// The hop and the rung by which it went.
    var road: (hop: String, rung: String)?
    /// Nil without tracing.
    var trace: RequestTrace?

    init(id: String, traceID: String, listener: ListenerIdentity, dialect: Dialect, started: NIODeadline) {
        self.id = id
        self.traceID = traceID
        self.listener = listener
        self.dialect = dialect
        self.started = started
    }

    /// Takes over what was decided.
    func note(_ decision: Decision) {
        let facts = decision.request.facts
        requestedModel = facts.model
        isStream = facts.isStream
        conversation = facts.conversation
        assignment = decision.variant.assignment
    }

    /// Appends the log line to a buffer.
    func appendLine(to buffer: inout [UInt8], ended: NIODeadline) {
        LogLine.append(to: &buffer, textBytes: textBytes) { line in
            line.add("time", Clock.utc())
            line.add("level", status >= 500 ? "error" : "info" as StaticString)
            line.add("msg", "request" as StaticString)
            addIdentity(to: &line)
            line.add("status", status)
            line.add("stream", isStream)
            addTimes(ended: ended, to: &line)
            addCounts(to: &line)
            addWay(to: &line)
            if let error { line.add("error", error) }
        }
    }

    /// The length of all texts of the line.
    private var textBytes: Int {
        let tried = outcomes.reduce(0) { $0 + $1.target.model.utf8.count + $1.result.utf8.count + 4 }
        return id.utf8.count + traceID.utf8.count + (route?.utf8.count ?? 0) + requestedModel.utf8.count
            + model.utf8.count + tried + (error?.utf8.count ?? 0) + (assignment?.byteCount ?? 0) + wayBytes
            + 96
    }

    private var wayBytes: Int {
        (host?.utf8.count ?? 0) + (road.map { $0.hop.utf8.count + $0.rung.utf8.count } ?? 0)
    }

    private func addIdentity(to line: inout LogLine) {
        line.add("request_id", id)
        line.add("trace_id", traceID)
        line.add("listener", listener.name.rawValue)
        line.add("dialect", dialect.rawValue)
        if let conversation { line.add("conversation", hexadecimal: conversation.high) }
        if let route { line.add("route", route) }
        if let assignment {
            line.add("experiment", assignment.experiment)
            line.add("arm", assignment.arm)
        }
        if !requestedModel.isEmpty { line.add("requested_model", requestedModel) }
        if !model.isEmpty { line.add("model", model) }
        if !outcomes.isEmpty {
            line.add("attempts", count: outcomes.count) {
                (outcomes[$0].target.model, "=", outcomes[$0].result)
            }
        }
    }

    private func addWay(to line: inout LogLine) {
        if let host { line.add("host", host) }
        guard let road else { return }
        line.add("hop", road.hop)
        line.add("rung", road.rung)
    }

    private func addTimes(ended: NIODeadline, to line: inout LogLine) {
        line.add("duration_ms", milliseconds: (ended - started).nanoseconds)
        if let firstToken { line.add("ttft_ms", milliseconds: (firstToken - started).nanoseconds) }
        line.add("overhead_ms", milliseconds: overhead)
    }

    private func addCounts(to line: inout LogLine) {
        if let usage {
            line.add("tokens_in", usage.promptTokens)
            line.add("tokens_out", usage.completionTokens)
        }
        if let countedTokens { line.add("tokens_counted", countedTokens) }
        if let clip { line.add("clip", clip.fields) }
        if !images.isEmpty || !answerImages.isEmpty { line.add("images", images.fields(with: answerImages)) }
        line.add("bytes_in", bytesIn)
        line.add("bytes_out", bytesOut)
    }
}

@available(*, unavailable)
extension RequestRecord: Sendable {}
