internal import NIOCore
internal import Policies
internal import Wire

/// What is decided about a request before its first upstream byte moves: by `serve`, and by `explain` alike.
final class Decision: Sendable {
    let request: Classification
    /// Nil where nothing depends on it: no route and no experiment took the request.
    let identity: Identity?
    let variant: Variant
    let plan: Plan

    /// A request whose body is there.
    struct Subject {
        let dialect: Dialect
        let head: RequestHead
        let headBytes: ByteBuffer
        let body: ByteBuffer
        let id: String
        /// The upstream of the listener that it came to.
        let upstream: String
    }

    /// What a decision depends on beside the request.
    struct Context {
        let snapshot: Snapshot
        let memory: RouteMemory
        let counts: CountMemory
        let allowsForcedArm: Bool
    }

    /// Decides.
    ///
    /// - Returns: nil when the body is not understood: it is forwarded untouched.
    /// - Complexity: O(*n*) in the body.
    init?(_ subject: Subject, in context: Context) {
        let snapshot = context.snapshot
        let (path, headers, forcedArm) = subject.headBytes.withUnsafeReadableBytes { raw in
            (
                snapshot.asksForPath ? subject.path(in: raw) : "",
                subject.head.fields.values(of: snapshot.asks.headerNames, in: raw),
                context.allowsForcedArm ? subject.forcedArm(in: raw) : nil
            )
        }
        var request = Classification(
            dialect: subject.dialect,
            path: path,
            body: subject.body,
            headers: headers,
            counts: context.counts
        )
        guard request.conversation != nil else { return nil }
        var identity: Identity?
        if snapshot.asks.needsMore { request.answer(snapshot.asks, snapshot.configuration.policies) }
        // Hashing a conversation costs as much as planning: not done where nothing depends on it.
        if snapshot.hasExperiments { identity = request.identify(subject) }
        let variant = snapshot.variant(for: request.facts, forcing: forcedArm)
        let settings = variant.configuration.policies
        let unmoved = Policies.plan(
            request.facts,
            settings: settings,
            upstream: subject.upstream,
            factors: context.memory.calibration.factors
        )
        if unmoved.route != nil, identity == nil { identity = request.identify(subject) }
        self.variant = variant
        plan = context.memory.isEmpty ? unmoved : context.memory.steered(unmoved, for: request.facts)
        self.identity = identity
        self.request = consume request
    }
}

extension Decision.Subject {
    /// The request target without its query.
    fileprivate func path(in raw: UnsafeRawBufferPointer) -> String {
        String(decoding: raw.slice(head.target).prefix { $0 != 0x3F }, as: UTF8.self)
    }

    fileprivate func forcedArm(in raw: UnsafeRawBufferPointer) -> String? {
        let field = head.fields.first {
            $0.header == .ours && raw.slice($0.name).equalsIgnoringCase("x-sidecar-arm")
        }
        return field.map { String(decoding: raw.slice($0.value), as: UTF8.self) }
    }
}
