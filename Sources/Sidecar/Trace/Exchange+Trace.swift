internal import NIOCore
internal import Policies
internal import Telemetry
internal import Tracing

/// What is noted of a request while it goes on; without tracing each of these is one look at nil.
extension Exchange {
    /// Begins to remember what spans are made of.
    func startTrace() {
        guard let pipeline = loop.spans?.pipeline else { return }
        record.trace = RequestTrace(
            head: head,
            bytes: headBytes,
            traceID: record.traceID,
            span: loop.random.next().low,
            pipeline.sampler
        )
    }

    /// The request is about to be sent upstream, for the first time or again.
    func traceAttempt() {
        guard let trace = record.trace, let attempt else { return }
        trace.attemptStarted(
            span: loop.random.next().low,
            attempt.target,
            at: attempt.place,
            attempt.upstream
        )
    }

    /// The place of a span for the images that are about to be prepared; nil where none is made.
    func uploadSpan() -> SpanIdentity? {
        guard let trace = record.trace, trace.isSampled else { return nil }
        return trace.identity.child(loop.random.next().low)
    }

    /// Makes the spans of a library children of one that is under way.
    ///
    /// - Parameter span: what is under way; nil where nothing is recorded.
    static func below(
        _ span: SpanIdentity?,
        _ work: @Sendable () async -> PreparedImages
    ) async -> PreparedImages {
        guard let span else { return await work() }
        var context = InstrumentationContext.topLevel
        context.span = span
        return await InstrumentationContext.$current.withValue(context) { await work() }
    }
}
