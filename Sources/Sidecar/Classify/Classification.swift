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
    /// Nil when the body was not understood: it is forwarded untouched.
    let conversation: Conversation?
    private(set) var facts: RequestFacts

    /// Scans a body and gathers what the routes ask for, and no more.
    ///
    /// - Complexity: O(*n*) in the body; counting only if a route asks for tokens.
    init(
        dialect: Dialect,
        path: String,
        body: ByteBuffer,
        headers: [String: String],
        asks: RouteQuestions,
        settings: PolicySettings
    ) {
        self.dialect = dialect
        self.body = body
        let (conversation, facts) = body.withUnsafeReadableBytes { raw -> (Conversation?, RequestFacts) in
            guard let conversation = Conversation(scanning: raw, as: dialect) else {
                return (nil, RequestFacts(model: "", path: path, headers: headers))
            }
            let facts = RequestFacts(
                model: conversation.model?.string(in: raw) ?? "",
                path: path,
                isStream: conversation.isStream,
                carriesImages: conversation.parts.contains(where: \.isImage),
                isTask: conversation.isTask(in: raw),
                headers: headers
            )
            return (conversation, facts)
        }
        self.conversation = conversation
        self.facts = facts
        guard conversation != nil else { return }
        answer(asks, settings)
    }

    private mutating func answer(_ asks: RouteQuestions, _ settings: PolicySettings) {
        if asks.lastUserText { facts.lastUserText = lastUserText.lowercased() }
        if asks.tokens {
            let rule = settings.rule(for: facts.model) ?? ModelRule(match: [])
            facts.tokens = prompt(in: rule.encoding)?.total
        }
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

    /// Counts the request in an encoding, message by message.
    ///
    /// - Returns: nil when the body was not understood, or the encoding is not known.
    /// - Complexity: O(*n*) in the text of the request.
    func prompt(in encoding: String) -> CountedPrompt? {
        guard let conversation else { return nil }
        return body.withUnsafeReadableBytes { CountedPrompt(conversation, in: $0, encoding: encoding) }
    }

    /// More than the request can count, without counting it.
    ///
    /// Every token has a byte at least, in the encodings that are shipped; images may count more than their URL.
    var tokensAtMost: Int {
        let images = conversation?.parts.count(where: \.isImage) ?? 0
        return body.readableBytes + images * CountedPrompt.mostTokensOfAnImage
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
