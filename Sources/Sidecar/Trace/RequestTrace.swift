internal import Egress
internal import NIOCore
internal import Policies
internal import Telemetry
internal import Wire

/// What is remembered of one request for its spans, which are made when it is over.
///
/// Nothing is done meanwhile but noting times and drawing ids. It belongs to the request's event loop.
final class RequestTrace {
    /// The place of the request's own span.
    let identity: SpanIdentity
    /// Whether spans are made: else ids are drawn all the same, since what is called next goes by them.
    let isSampled: Bool
    let method: StaticString
    /// Every request sent upstream, repeats too; the last one may be under way.
    private(set) var attempts: [Attempt] = []
    private(set) var uploads: [Upload] = []
    private(set) var roads: [Opening] = []

    /// One request sent upstream.
    struct Attempt {
        let span: UInt64
        let target: Target
        let place: Int
        let upstream: UpstreamReference
        let started: NIODeadline
        /// Nil until it is known to be over; then the request's own end counts.
        var ended: NIODeadline?
        var outcome: Label?
        /// 0 without an answer.
        var status = 0
        var road: (hop: String, rung: String)?
    }

    /// One wait for images to be stored, or brought back.
    struct Upload {
        let span: UInt64
        let started: NIODeadline
        let ended: NIODeadline
        let counts: ImageCounts
    }

    /// One try of one rung of a hop.
    struct Opening {
        let span: UInt64
        /// The attempt's span for which it was opened.
        let parent: UInt64
        let hop: String
        let rung: String
        let started: NIODeadline
        let ended: NIODeadline
        /// Nil when it led there.
        let fault: String?
    }

    /// - Parameter traceID: 32 hexadecimal digits; the request goes by it already.
    init(head: RequestHead, bytes: ByteBuffer, traceID: String, span: UInt64, _ sampler: TraceSampler) {
        let trace = traceID.traceWords
        let origin = bytes.withUnsafeReadableBytes { Origin(head, $0, of: trace) }
        isSampled = sampler.keeps(traceLow: trace.low, parent: origin.parent?.isSampled)
        method = origin.method
        identity = SpanIdentity(
            traceHigh: trace.high,
            traceLow: trace.low,
            span: span,
            parent: origin.parent?.span ?? 0,
            hasRemoteParent: origin.parent != nil,
            traceState: origin.parent == nil ? "" : origin.state
        )
    }

    /// A connection of the forward proxy: it names no trace, and begins one.
    init(method: StaticString, made: RequestID, span: UInt64, _ sampler: TraceSampler) {
        self.method = method
        isSampled = sampler.keeps(traceLow: made.low, parent: nil)
        identity = SpanIdentity(traceHigh: made.high, traceLow: made.low, span: span)
    }

    // MARK: - What happens

    /// What the upstream is told of the attempt under way.
    var outgoing: TraceParent? {
        attempts.last.map { TraceParent(span: $0.span, isSampled: isSampled) }
    }

    func attemptStarted(span: UInt64, _ target: Target, at place: Int, _ upstream: UpstreamReference) {
        let now = NIODeadline.now()
        attemptEnded(at: now)
        attempts.append(Attempt(span: span, target: target, place: place, upstream: upstream, started: now))
    }

    /// The attempt under way has a connection.
    func connected(by road: Road?) {
        guard isSampled, let road else { return }
        change { $0.road = (road.hop.name, road.rung.label) }
    }

    func answered(_ status: Int) {
        change { $0.status = status }
    }

    func judged(_ outcome: Label) {
        change { $0.outcome = outcome }
    }

    func attemptEnded(at now: NIODeadline = .now()) {
        change { $0.ended = $0.ended ?? now }
    }

    func uploaded(span: UInt64, since started: NIODeadline, _ counts: ImageCounts) {
        uploads.append(Upload(span: span, started: started, ended: .now(), counts: counts))
    }

    /// A rung led there, or failed.
    func opened(_ road: Road, span: UInt64, fault: String? = nil) {
        guard isSampled else { return }
        roads.append(
            Opening(
                span: span,
                parent: attempts.last?.span ?? identity.span,
                hop: road.hop.name,
                rung: road.rung.label,
                started: road.started,
                ended: .now(),
                fault: fault
            )
        )
    }

    private func change(_ change: (inout Attempt) -> Void) {
        guard !attempts.isEmpty else { return }
        change(&attempts[attempts.count - 1])
    }

    /// What the head says of where the request comes from.
    private struct Origin {
        var parent: TraceParent?
        var state = ""
        let method: StaticString

        init(_ head: RequestHead, _ raw: UnsafeRawBufferPointer, of trace: (high: UInt64, low: UInt64)) {
            method = raw.slice(head.method).methodName
            for field in head.fields {
                switch field.header {
                case .traceparent: parent = TraceParent(raw.slice(field.value), of: trace) ?? parent
                case .other where raw.slice(field.name).equalsIgnoringCase("tracestate"):
                    state = String(decoding: raw.slice(field.value), as: UTF8.self)
                default: break
                }
            }
        }
    }
}

@available(*, unavailable)
extension RequestTrace: Sendable {}

extension String {
    /// The two halves of a trace id.
    fileprivate var traceWords: (high: UInt64, low: UInt64) {
        var text = self
        return text.withUTF8 { utf8 in
            let raw = UnsafeRawBufferPointer(utf8)
            return (raw.hexadecimalWord(at: 0) ?? 0, raw.hexadecimalWord(at: 16) ?? 0)
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The method, of those that are known: others are one (OpenTelemetry, HTTP spans, `http.request.method`).
    fileprivate var methodName: StaticString {
        Self.methods.first {
            elementsEqual(UnsafeBufferPointer(start: $0.utf8Start, count: $0.utf8CodeUnitCount))
        }
            ?? "_OTHER"
    }

    private static let methods: [StaticString] = [
        "POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE",
    ]
}
