internal import Synchronization
internal import Telemetry
internal import Tracing

/// Makes spans by the interface that Swift libraries know, such as the client that speaks to stores.
///
/// Only requests start traces: a span without a traced parent is not recorded.
struct SpanTracer: Tracer {
    let pipeline: SpanPipeline

    func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> InstrumentationContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> TracedSpan {
        var context = context()
        var generator = SystemRandomNumberGenerator()
        let identity = context.span.map { $0.child(generator.next() | 1) }
        if let identity { context.span = identity }
        let pipeline = identity == nil ? nil : self.pipeline
        return TracedSpan(operationName, context, kind, at: instant().nanosecondsSinceEpoch, to: pipeline)
    }

    func startAnySpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> InstrumentationContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> any Span {
        startSpan(
            operationName,
            context: context(),
            ofKind: kind,
            at: instant(),
            function: function,
            file: fileID,
            line: line
        )
    }

    /// Spans are sent by the pipeline's own clock.
    func forceFlush() {
        pipeline.tick()
    }

    /// The contexts of requests are read off their heads, not here.
    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout InstrumentationContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {}

    /// Adds nothing: stores have no spans of their own, and what they are sent is signed.
    func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {}
}

extension InstrumentationContext {
    private enum SpanKey: InstrumentationContextKey {
        typealias Value = SpanIdentity
    }

    /// The span that is under way; nil where none is recorded.
    var span: SpanIdentity? {
        get { self[SpanKey.self] }
        set { self[SpanKey.self] = newValue }
    }
}

/// A span that is under way; it is encoded when it ends.
final class TracedSpan: Span {
    private struct State {
        var name: String
        var attributes = SpanAttributes()
        var status: SpanStatus?
        var error: String?
        var hasEnded = false
    }

    let context: InstrumentationContext
    private let kind: SpanKind
    private let started: UInt64
    /// Nil for a span that is not recorded.
    private let pipeline: SpanPipeline?
    private let state: Mutex<State>

    fileprivate init(
        _ name: String,
        _ context: InstrumentationContext,
        _ kind: SpanKind,
        at started: UInt64,
        to pipeline: SpanPipeline?
    ) {
        self.context = context
        self.kind = kind
        self.started = started
        self.pipeline = pipeline
        state = Mutex(State(name: name))
    }

    var isRecording: Bool { pipeline != nil }

    var operationName: String {
        get { state.withLock { $0.name } }
        set { state.withLock { $0.name = newValue } }
    }

    var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { state.withLock { $0.attributes = newValue } }
    }

    func setStatus(_ status: SpanStatus) {
        state.withLock { $0.status = status }
    }

    /// Events are not sent: their texts are whatever a library says.
    func addEvent(_ event: SpanEvent) {}

    /// Links are not sent: nothing here joins traces.
    func addLink(_ link: SpanLink) {}

    /// Keeps the type of an error alone: its text may quote what was sent.
    func recordError<Instant: TracerInstant>(
        _ error: any Error,
        attributes: SpanAttributes,
        at instant: @autoclosure () -> Instant
    ) {
        state.withLock { $0.error = "\(type(of: error))" }
    }

    func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let ended = instant().nanosecondsSinceEpoch
        let state = state.withLock { state in
            defer { state.hasEnded = true }
            return state
        }
        guard !state.hasEnded, let pipeline, let identity = context.span else { return }
        var block = SpanBlock(count: 1)
        let times = SpanTimes(started: started, ended: ended)
        SpanEncoder.append(to: &block.bytes, identity, name: state.name, kind.role, times) { span in
            state.attributes.forEach { name, value in span.add(name, value) }
            if let error = state.error { span.add("error.type", error) }
            if state.error != nil || state.status?.code == .error { span.fail(state.error ?? "") }
        }
        pipeline.add(block.compacted())
    }
}

extension SpanKind {
    fileprivate var role: SpanRole {
        switch self {
        case .server: .server
        case .client: .client
        case .internal, .producer, .consumer: .internal
        }
    }
}

extension SpanEncoder {
    /// Adds an attribute of a library, unless it may show what nobody should see.
    fileprivate mutating func add(_ name: String, _ value: SpanAttribute) {
        switch name {
        case "url.full", "url.query": return
        // What the HTTP client calls it is the name of before the conventions became stable.
        case "http.status_code": add("http.response.status_code", value)
        default:
            switch value {
            case .int32(let number): add(named: name, .integer(Int(number)))
            case .int64(let number): add(named: name, .integer(Int(number)))
            case .double(let number): add(named: name, .number(number))
            case .bool(let truth): add(named: name, .truth(truth))
            case .string(let text): add(named: name, .text(text))
            default: return
            }
        }
    }
}
