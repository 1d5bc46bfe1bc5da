internal import NIOCore
internal import Policies
internal import Wire

/// What is known about one request: its facts for the policies, and where its parts lie for the edits.
///
/// The only place where spans of bytes become ``RequestFacts``.
struct Classification {
    let dialect: Dialect
    /// The whole body, framing taken off.
    let body: ByteBuffer
    /// The longest model name that is acted on; names become keys, header fields and log lines.
    static let maxModelBytes = 256

    /// Nil when the body was not understood: it is forwarded untouched.
    let conversation: Conversation?
    private(set) var facts: RequestFacts
    private let counts: CountMemory

    /// Scans a body.
    ///
    /// - Parameters:
    ///   - headers: those that the routes ask for, by lowercased name.
    ///   - counts: texts that were counted before.
    /// - Complexity: O(*n*) in the body.
    init(
        dialect: Dialect,
        path: String,
        body: ByteBuffer,
        headers: [String: String],
        counts: CountMemory = CountMemory()
    ) {
        self.dialect = dialect
        self.counts = counts
        self.body = body
        let (conversation, facts) = body.withUnsafeReadableBytes { raw -> (Conversation?, RequestFacts) in
            guard let conversation = Conversation(scanning: raw, as: dialect),
                conversation.model?.range.count ?? 0 <= Self.maxModelBytes
            else {
                return (nil, RequestFacts(model: "", path: path, headers: headers))
            }
            let facts = RequestFacts(
                model: conversation.model?.string(in: raw) ?? "",
                path: path,
                isStream: conversation.isStream,
                carriesImages: conversation.parts.contains(where: \.isImage),
                startsTurn: conversation.startsTurn,
                isTask: conversation.isTask(in: raw),
                headers: headers
            )
            return (conversation, facts)
        }
        self.conversation = conversation
        self.facts = facts
    }

    /// Finds out what the routes ask for beyond the scan, and no more.
    ///
    /// - Complexity: O(*n*) in the text of the request if a route asks for tokens.
    mutating func answer(_ asks: RouteQuestions, _ settings: PolicySettings) {
        if asks.lastUserText { facts.lastUserText = lastUserText.lowercased() }
        if asks.tokens {
            facts.tokens = tokens(by: settings.counting(of: facts.model))
        }
    }

    /// Adds who asks, and in which conversation, to the facts.
    mutating func identify(_ subject: Decision.Subject) -> Identity {
        let identity = Identity(
            head: subject.head,
            bytes: subject.headBytes,
            conversation: conversation,
            body: body,
            isTask: facts.isTask
        )
        facts.conversation = identity.conversation
        facts.user = identity.user
        var hasher = StableHasher()
        hasher.combine(subject.id)
        facts.request = hasher.finalize()
        return identity
    }

    private var lastUserText: String {
        guard let conversation, let message = conversation.messages.last(where: { $0.role == .user }) else {
            return ""
        }
        return body.withUnsafeReadableBytes { raw in
            conversation.parts[message.parts].filter { $0.kind == .text }
                .map { $0.text.string(in: raw) }.joined(separator: "\n")
        }
    }

    /// Counts the request, message by message.
    ///
    /// - Returns: nil when the body was not understood, or the encoding or the rule for images is not known.
    /// - Complexity: O(*n*) in the text of the request.
    func prompt(by counting: Counting) -> CountedPrompt? {
        guard let conversation, let counters = PromptCounters(counting) else { return nil }
        return body.withUnsafeReadableBytes {
            CountedPrompt(conversation, in: $0, by: counters, counts)
        }
    }

    /// What the whole request counts.
    ///
    /// - Returns: nil when the body was not understood, or the encoding or the rule for images is not known.
    /// - Complexity: O(*n*) in the text of the request.
    func tokens(by counting: Counting) -> Int? {
        guard let conversation, let counters = PromptCounters(counting) else { return nil }
        return body.withUnsafeReadableBytes {
            CountedPrompt.total(of: conversation, in: $0, by: counters, counts)
        }
    }

    /// Bytes of what is counted as text.
    var textBytes: Int {
        guard let conversation else { return 0 }
        let parts = conversation.parts.lazy.filter { PromptCounters.isText($0.kind) }
        return parts.reduce(0) { $0 + $1.text.range.count }
            + conversation.toolDefinitions.reduce(0) { $0 + $1.count }
    }

    /// More than the request can count, without counting it: what is not text may count more than its bytes.
    func tokensAtMost(by counting: Counting) -> Int {
        guard let conversation, let counters = PromptCounters(counting) else { return 0 }
        return conversation.parts.reduce(counters.text.tokensAtMost(bytes: body.readableBytes)) {
            $0 + counters.mostTokensBesideText(of: $1.kind)
        }
    }
}

extension Conversation {
    /// Whether the newest message, system messages aside, is the user's.
    fileprivate var startsTurn: Bool {
        messages.last { $0.role != .system && $0.role != .developer }.map { $0.role == .user } ?? true
    }
}

extension Conversation.Part {
    var isImage: Bool {
        switch kind {
        case .imageURL, .imageData: true
        default: false
        }
    }
}
