/// Where a span belongs: its trace, its own id and its parent's.
public struct SpanIdentity: Equatable, Sendable {
    /// The first half of the trace's id.
    public var traceHigh: UInt64
    /// Its second half.
    public var traceLow: UInt64
    /// Never 0.
    public var span: UInt64
    /// 0 for the first span of a trace.
    public var parent: UInt64
    /// Whether the parent is a span of another process.
    public var hasRemoteParent: Bool
    /// What other systems keep with the trace (W3C Trace Context, section 3.3); empty for nothing.
    public var traceState: String

    /// The place of a span in its trace.
    public init(
        traceHigh: UInt64,
        traceLow: UInt64,
        span: UInt64,
        parent: UInt64 = 0,
        hasRemoteParent: Bool = false,
        traceState: String = ""
    ) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.parent = parent
        self.hasRemoteParent = hasRemoteParent
        self.traceState = traceState
    }

    /// The place of a span below this one, in the same process.
    public func child(_ span: UInt64) -> SpanIdentity {
        SpanIdentity(
            traceHigh: traceHigh,
            traceLow: traceLow,
            span: span,
            parent: self.span,
            traceState: traceState
        )
    }

    /// As OTLP wants them: sampled, and whether the parent is remote (`SpanFlags` of trace.proto).
    var flags: UInt32 { hasRemoteParent ? 0x301 : 0x101 }
}

/// What a span stands for; the numbers are those of `Span.SpanKind` in trace.proto.
public enum SpanRole: UInt8, Sendable {
    case `internal` = 1
    case server = 2
    case client = 3
}

/// When a span began and ended, in nanoseconds since 1970.
public struct SpanTimes: Equatable, Sendable {
    /// When it began.
    public var started: UInt64
    /// When it ended.
    public var ended: UInt64

    /// A span never ends before it began, whatever the clocks said.
    public init(started: UInt64, ended: UInt64) {
        self.started = started
        self.ended = max(started, ended)
    }
}
