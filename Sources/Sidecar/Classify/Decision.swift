internal import NIOCore
internal import Policies
internal import Wire

/// What is decided about a request before its first upstream byte moves: by `serve`, and by `explain` alike.
final class Decision: Sendable {
    let request: Classification
    let identity: Identity
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
        if snapshot.asks.needsMore { request.answer(snapshot.asks, snapshot.configuration.policies) }
        identity = Identity(head: subject.head, bytes: subject.headBytes, request: request)
        request.identify(identity, id: subject.id)
        let facts = request.facts
        variant = snapshot.variant(for: facts, forcing: forcedArm)
        let unmoved = Policies.plan(
            facts,
            settings: variant.configuration.policies,
            upstream: subject.upstream
        )
        let situation = context.memory.situation(
            of: facts.conversation,
            primary: unmoved.attempts[0].target
        )
        plan = situation.map { unmoved.steered(by: $0, for: facts) } ?? unmoved
        self.request = request
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
