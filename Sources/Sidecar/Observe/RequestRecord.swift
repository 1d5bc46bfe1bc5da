internal import NIOCore
internal import Policies
internal import Telemetry
internal import Wire

/// What happened to one request; becomes its log line and its figures.
struct RequestRecord {
    /// Interned where the set is closed; the model's and the route's text goes to the log only.
    var id: String
    var traceID: String
    var listener: ListenerIdentity
    var dialect: Dialect
    var started: NIODeadline
    var route: String?
    var requestedModel = ""
    var model = ""
    var outcomes: [FailoverState.Entry] = []
    var status = 0
    var isStream = false
    var firstToken: NIODeadline?
    /// Nanoseconds that the sidecar spent deciding and editing.
    var overhead: Int64 = 0
    var usage: Usage?
    var countedTokens: Int?
    var clip: ClipReceipt?
    var bytesIn = 0
    var bytesOut = 0
    var upstreamBytesIn = 0
    var upstreamBytesOut = 0
    var error: String?

    /// Writes the log line.
    func line(ended: NIODeadline, into buffer: consuming [UInt8]) -> [UInt8] {
        var line = LogLine(in: buffer)
        line.add("time", Clock.timestamp())
        line.add("level", status >= 500 ? "error" : "info" as StaticString)
        line.add("msg", "request" as StaticString)
        line.add("request_id", id)
        line.add("trace_id", traceID)
        line.add("listener", listener.name.rawValue)
        line.add("dialect", dialect.rawValue)
        if let route { line.add("route", route) }
        if !requestedModel.isEmpty { line.add("requested_model", requestedModel) }
        if !model.isEmpty { line.add("model", model) }
        if !outcomes.isEmpty {
            line.add("attempts", outcomes) { ($0.target.model, "=", $0.result) }
        }
        line.add("status", status)
        line.add("stream", isStream)
        line.add("duration_ms", milliseconds: (ended - started).nanoseconds)
        if let firstToken { line.add("ttft_ms", milliseconds: (firstToken - started).nanoseconds) }
        line.add("overhead_ms", milliseconds: overhead)
        if let usage {
            line.add("tokens_in", usage.promptTokens)
            line.add("tokens_out", usage.completionTokens)
        }
        if let countedTokens { line.add("tokens_counted", countedTokens) }
        if let clip { line.add("clip", clip.fields) }
        line.add("bytes_in", bytesIn)
        line.add("bytes_out", bytesOut)
        if let error { line.add("error", error) }
        return line.finished()
    }
}

/// What clipping did to a request, as the client and the log are told.
struct ClipReceipt: Equatable {
    var dropped: Int
    var kept: Int
    var before: Int
    var after: Int
    var budget: Int
    var encoding: String

    /// The value of the `x-sidecar-clip` header.
    var header: String {
        "dropped=\(dropped);kept=\(kept);before=\(before);after=\(after);budget=\(budget);encoding=\(encoding)"
    }

    fileprivate var fields: [(name: StaticString, value: Int)] {
        [
            ("dropped", dropped), ("kept", kept), ("before", before), ("after", after), ("budget", budget),
        ]
    }
}
