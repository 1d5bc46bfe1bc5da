internal import NIOCore
internal import Policies
internal import Wire

/// Who asks, and in which conversation: digests, so that neither is ever shown.
struct Identity {
    /// Of all credentials together; nil where the client sent none.
    let credentials: StableDigest?
    /// Nil for Open WebUI's background tasks and for what is no chat.
    let conversation: StableDigest?
    let user: StableDigest?

    /// More of a first message tells no more conversations apart, and would only cost time.
    private static let maxTextBytes = 16_384

    /// - Parameters:
    ///   - conversation: nil for a request that is not inspected.
    ///   - body: where it lies.
    ///   - isTask: whether it is a background task of Open WebUI's.
    init(
        head: RequestHead,
        bytes: ByteBuffer,
        conversation: Conversation? = nil,
        body: ByteBuffer = ByteBuffer(),
        isTask: Bool = false
    ) {
        let fields = bytes.withUnsafeReadableBytes { IdentityFields(head.fields, in: $0) }
        credentials = fields.credentials
        guard let conversation else {
            self.conversation = nil
            user = nil
            return
        }
        (self.conversation, user) = body.withUnsafeReadableBytes { raw in
            let name =
                isTask
                ? nil
                : fields.conversation ?? Self.named(conversation, raw) ?? Self.firstText(conversation, raw)
            let user = fields.user ?? Self.bodyUser(conversation, raw)
            // Hashed with the credentials, so that nobody can name a conversation of somebody else.
            return (name.map(fields.owned), user.map(fields.owned) ?? fields.credentials)
        }
    }

    /// `metadata.chat_id` or `metadata.session_id`.
    private static func named(_ conversation: Conversation, _ raw: UnsafeRawBufferPointer) -> StableDigest? {
        let text =
            conversation.metadataText("chat_id", in: raw) ?? conversation.metadataText("session_id", in: raw)
        return text.map { raw.slice($0.range) }.flatMap { $0.isEmpty ? nil : StableDigest(of: $0) }
    }

    /// The first user message: clients send a history from its beginning, every time.
    private static func firstText(_ conversation: Conversation, _ raw: UnsafeRawBufferPointer)
        -> StableDigest?
    {
        guard conversation.messagesArray != nil,
            let message = conversation.messages.first(where: { $0.role == .user })
        else { return nil }
        var hasher = StableHasher()
        // So that no chat id is taken for a message of the same text.
        hasher.combine("first message")
        var left = maxTextBytes
        for part in conversation.parts[message.parts] where part.kind == .text && left > 0 {
            hasher.combine(UnsafeRawBufferPointer(rebasing: raw.slice(part.text.range).prefix(left)))
            left -= part.text.range.count
        }
        return hasher.finalize()
    }

    private static func bodyUser(_ conversation: Conversation, _ raw: UnsafeRawBufferPointer) -> StableDigest?
    {
        guard let range = conversation.member("user", in: raw), range.count > 2, raw[range.lowerBound] == 0x22
        else { return nil }
        return StableDigest(of: raw.slice(range))
    }
}

/// What the head of a request says about its sender.
private struct IdentityFields {
    private(set) var credentials: StableDigest?
    private(set) var conversation: StableDigest?
    private(set) var user: StableDigest?

    init(_ fields: [HeaderField], in head: UnsafeRawBufferPointer) {
        var hasher = StableHasher()
        var hasCredential = false
        var ownName: StableDigest?
        for field in fields where !field.value.isEmpty {
            switch field.header {
            case .chatID: conversation = conversation ?? StableDigest(of: head.slice(field.value))
            case .userID: user = user ?? StableDigest(of: head.slice(field.value))
            case .ours where head.slice(field.name).equalsIgnoringCase("x-sidecar-conversation"):
                ownName = ownName ?? StableDigest(of: head.slice(field.value))
            case let header where header.isCredential:
                hasCredential = true
                hasher.combine(header.lowercased.description)
                hasher.combine(head.slice(field.value))
            default: break
            }
        }
        credentials = hasCredential ? hasher.finalize() : nil
        conversation = conversation ?? ownName
    }

    /// A name together with the credentials of whoever used it.
    func owned(_ name: StableDigest) -> StableDigest {
        var hasher = StableHasher()
        if let credentials { hasher.combine(credentials) }
        hasher.combine(name)
        return hasher.finalize()
    }
}

extension StableDigest {
    fileprivate init(of bytes: UnsafeRawBufferPointer) {
        var hasher = StableHasher()
        hasher.combine(bytes)
        self = hasher.finalize()
    }
}
