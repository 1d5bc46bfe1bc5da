internal import ArgumentParser
internal import FoundationEssentials
internal import NIOCore
internal import Policies
internal import Wire

/// Prints what would be done with a request body, and sends nothing.
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read a request body on standard input and print the plan as JSON."
    )

    @OptionGroup var options: ConfigurationOptions

    @Option(name: .customLong("header"), help: "A request header, as 'Name: value'; may be given again.")
    var headers: [String] = []

    @Option(help: "The listener that the request would come to.")
    var listener = "gateway"

    @Option(help: "The request's path.")
    var path = "/v1/chat/completions"

    func run() throws {
        let configuration = try options.load().configuration
        guard let name = ProxyListener.Name(rawValue: listener),
            let upstream = Snapshot(configuration).upstream(of: name)?.settings
        else {
            StandardError.print("sidecar: no listener \(listener) is configured; see listen")
            throw Exit.unknownName
        }
        guard let body = StandardInput.read(maxBytes: configuration.limits.maxBodyBytes) else {
            StandardError.print(
                "sidecar: the body is over limits.maxBodyBytes (\(configuration.limits.maxBodyBytes))"
            )
            throw ExitCode(65)
        }
        let explanation = Explanation(
            body: ByteBuffer(bytes: body),
            path: path,
            headers: try parsedHeaders(),
            upstream: upstream,
            configuration: configuration
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(explanation), as: UTF8.self))
    }

    private func parsedHeaders() throws -> [String: String] {
        var parsed: [String: String] = [:]
        for header in headers {
            guard let colon = header.firstIndex(of: ":") else {
                throw ValidationError("'\(header)' is not a header; write 'Name: value'")
            }
            let value = header[header.index(after: colon)...].drop { $0 == " " }
            parsed[header[..<colon].lowercased()] = String(value)
        }
        return parsed
    }
}

/// A plan for people: what each attempt would send.
struct Explanation: Encodable {
    struct Step: Encodable {
        let target: String
        let budget: Int?
        let encoding: String?
        let clip: Clipping?
        let bytes: Int?
        let problem: String?
    }

    struct Clipping: Encodable {
        let dropped: Int
        let kept: Int
        let before: Int
        let after: Int
    }

    let dialect: String
    let understood: Bool
    let model: String
    let stream: Bool
    let images: Bool
    let task: Bool
    let route: String?
    let tokens: Int?
    let attempts: [Step]

    init(
        body: ByteBuffer,
        path: String,
        headers: [String: String],
        upstream: Upstream,
        configuration: Configuration
    ) {
        let settings = configuration.policies
        let dialect = Dialect.of(path: path)
        var request = Classification(dialect: dialect, path: path, body: body, headers: headers)
        request.answer(settings.asks, settings)
        let plan = Policies.plan(request.facts, settings: settings, upstream: upstream.name)
        let encoding = settings.rule(for: request.facts.model)?.encoding ?? ModelRule(match: []).encoding
        self.dialect = dialect.rawValue
        understood = request.conversation != nil
        model = request.facts.model
        stream = request.facts.isStream
        images = request.facts.carriesImages
        task = request.facts.isTask
        route = plan.route
        tokens = request.prompt(in: encoding)?.total
        attempts = plan.attempts.enumerated().map { place, attempt in
            let made = AttemptBody.make(
                of: request,
                for: attempt,
                budget: attempt.budget,
                isLast: place == plan.attempts.count - 1,
                upstream: configuration.upstreams[attempt.target.upstream]?.kind ?? .litellm,
                clip: settings.clip
            )
            return Step(attempt, made, isMatched: plan.route != nil, original: body.readableBytes)
        }
    }
}

extension Explanation.Step {
    fileprivate init(_ attempt: Attempt, _ made: AttemptBody, isMatched: Bool, original: Int) {
        target = "\(attempt.target.model)@\(attempt.target.upstream)"
        budget = attempt.budget?.tokens
        encoding = attempt.budget?.encoding
        switch made {
        case .ready(let body, _, let receipt, _):
            clip = receipt.map {
                .init(dropped: $0.dropped, kept: $0.kept, before: $0.before, after: $0.after)
            }
            bytes = isMatched ? body.readableBytes : original
            problem = nil
        case .tooLong(let tokens, let budget):
            clip = nil
            bytes = nil
            problem = "what is always kept has \(tokens) tokens, the budget is \(budget)"
        }
    }
}
