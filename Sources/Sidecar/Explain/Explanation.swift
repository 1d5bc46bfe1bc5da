internal import FoundationEssentials
internal import NIOCore
internal import Policies
internal import Wire

/// A request that is only asked about.
struct ExplainedRequest {
    /// The path of the request target; a query may follow.
    var path: String
    /// Each `Name: value`.
    var headerLines: [String]
    var body: ByteBuffer
    var listener: ProxyListener.Name
}

/// A plan for people: what would be sent, decided by the same code that serves.
struct Explanation: Encodable {
    /// Why a request cannot be explained.
    enum Failure: Error {
        case head
        case noListener(String)

        var problem: String {
            switch self {
            case .head: "the path or a header is not valid HTTP; write a header as 'Name: value'"
            case .noListener(let name): "no listener \(name) is configured; see listen"
            }
        }
    }

    struct Step: Encodable {
        let target: String
        let budget: Int?
        let encoding: String?
        /// The value that `x-sidecar-clip` would have.
        let clip: String?
        /// Positions of the messages that would be left out.
        let dropped: [Int]?
        /// The size of the body that would be sent.
        let bytes: Int?
        /// What becomes of the images; nil where there are none.
        var images: [Image]?
        let problem: String?
    }

    let dialect: String
    let understood: Bool
    let model: String?
    let stream: Bool?
    let images: Bool?
    let task: Bool?
    let conversation: String?
    let experiment: String?
    let arm: String?
    let route: String?
    /// Whether it would begin with a fallback because its conversation was moved there.
    let sticky: Bool
    let tokens: Int?
    let attempts: [Step]

    init(_ asked: ExplainedRequest, in context: Decision.Context) throws(Failure) {
        let snapshot = context.snapshot
        guard let upstream = snapshot.upstream(of: asked.listener) else {
            throw .noListener(asked.listener.rawValue)
        }
        let subject = try Decision.Subject(asked, upstream: upstream.name)
        dialect = subject.dialect.rawValue
        let decision =
            subject.dialect.isInspected && upstream.kind != .dify
            ? Decision(subject, in: context) : nil
        let facts = decision?.request.facts
        understood = decision != nil
        model = facts?.model
        stream = facts?.isStream
        images = facts?.carriesImages
        task = facts?.isTask
        conversation = facts?.conversation?.hexadecimal
        experiment = decision?.variant.assignment?.experiment
        arm = decision?.variant.assignment?.arm
        route = decision?.plan.route
        sticky = decision?.plan.isSticky ?? false
        tokens = decision?.tokens
        attempts =
            decision?.steps(context, upstream: upstream.name) ?? [
                Step(untouched: "@\(upstream.name)", bytes: asked.body.readableBytes)
            ]
    }

    /// Pretty-printed, with its keys in order.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

extension Decision.Subject {
    /// The request as it would be received: its head goes through the strict parser.
    fileprivate init(_ asked: ExplainedRequest, upstream: String) throws(Explanation.Failure) {
        let hasHost = asked.headerLines.contains { $0.lowercased().hasPrefix("host:") }
        let lines = (asked.headerLines + (hasHost ? [] : ["Host: explain"])).map { $0 + "\r\n" }.joined()
        let text =
            "POST \(asked.path) HTTP/1.1\r\n\(lines)Content-Length: \(asked.body.readableBytes)\r\n\r\n"
        let bytes = ByteBuffer(string: text)
        guard let head = bytes.withUnsafeReadableBytes({ try? RequestHead(reading: $0) }),
            head.byteCount == bytes.readableBytes
        else { throw .head }
        self.init(
            dialect: Dialect.of(path: asked.path),
            head: head,
            headBytes: bytes,
            body: asked.body,
            id: "",
            upstream: upstream
        )
    }
}

extension Decision {
    fileprivate var tokens: Int? {
        request.tokens(by: variant.configuration.policies.counting(of: request.facts.model))
    }

    fileprivate func steps(_ context: Context, upstream: String) -> [Explanation.Step] {
        plan.attempts.enumerated().map { place, attempt in
            let kind = context.snapshot.upstream(named: attempt.target.upstream)?.kind ?? .litellm
            var step = step(attempt, at: place, kind, isOwnUpstream: attempt.target.upstream == upstream)
            step.images = images(for: attempt.target, upstream: kind, context.snapshot, context.memory)
            return step
        }
    }

    private func step(
        _ attempt: Attempt,
        at place: Int,
        _ kind: Upstream.Kind,
        isOwnUpstream: Bool
    ) -> Explanation.Step {
        guard plan.route != nil else {
            return .init(untouched: attempt.target.name, bytes: request.body.readableBytes)
        }
        let made = AttemptBody.make(
            of: request,
            for: attempt,
            budget: attempt.budget,
            isLast: place == plan.attempts.count - 1,
            upstream: kind,
            isOwnUpstream: isOwnUpstream,
            clip: variant.configuration.policies.clip
        )
        return .init(attempt, made)
    }
}

extension Explanation.Step {
    /// A body that nothing touches.
    fileprivate init(untouched target: String, bytes: Int) {
        self.init(
            target: target,
            budget: nil,
            encoding: nil,
            clip: nil,
            dropped: nil,
            bytes: bytes,
            problem: nil
        )
    }

    fileprivate init(_ attempt: Attempt, _ made: AttemptBody) {
        let target = attempt.target.name
        let (budget, encoding) = (attempt.budget?.tokens, attempt.budget?.counting.encoding)
        switch made {
        case .ready(let body, _, let receipt, _, _):
            self.init(
                target: target,
                budget: budget,
                encoding: encoding,
                clip: receipt?.header,
                dropped: receipt?.lines.indices.filter { receipt?.lines[$0].fate == .dropped },
                bytes: body.readableBytes,
                problem: nil
            )
        case .tooLong(let tokens, let limit):
            self.init(
                target: target,
                budget: budget,
                encoding: encoding,
                clip: nil,
                dropped: nil,
                bytes: nil,
                problem: "what is always kept has \(tokens) tokens, the budget is \(limit)"
            )
        }
    }
}
