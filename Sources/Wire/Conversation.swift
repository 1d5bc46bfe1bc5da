/// Where everything lies that the sidecar reads or edits in the body of a request.
///
/// Made of spans by one scan, so the body is neither copied nor decoded. Every method that takes `body` takes
/// the bytes that were scanned.
///
/// Where a key occurs more than once in an object the last one counts, as in Python's `json`.
public struct Conversation: Sendable {
    /// A key of the top-level object and where its value lies.
    public struct Member: Equatable, Sendable {
        public var key: JSONText
        /// The whole value; of a string with its quotes.
        public var value: Range<Int>
    }

    /// Who speaks, by the exact spelling of `role`.
    public enum Role: String, CaseIterable, Sendable {
        case system, developer, user, assistant, tool, function, other
    }

    /// One element of `messages`.
    public struct Message: Equatable, Sendable {
        public var role: Role
        /// The object with its braces.
        public var range: Range<Int>
        /// Positions in ``Conversation/parts``, in document order.
        public var parts: Range<Int>
    }

    /// One string of a message, or a value that stands where a string is usual.
    public struct Part: Equatable, Sendable {
        /// What a part is to its message.
        public enum Kind: Equatable, Sendable {
            case text
            case refusal
            /// The name of a message's author.
            case name
            /// A URL, often a data URL.
            case imageURL(detail: ImageDetail)
            /// Base64 without a data URL around it, as in Anthropic's image blocks.
            case imageData
            case audioData
            case fileData
            case fileID
            case fileName
            /// The id of a call that the assistant asked for.
            case toolCallID
            case toolName
            /// A JSON document inside a string.
            case toolArguments
            /// The id of the call that a tool message answers.
            case toolResultID
            /// `reasoning_content`, or `reasoning` as some servers call it.
            case reasoning
            /// The text of an Anthropic thinking block; usually the same as ``reasoning``.
            case thinking
            /// A prompt or input that the client tokenized itself; raw.
            case tokens(count: Int)
            /// A content part of an unknown type; raw.
            case other
        }

        public var kind: Kind
        /// Its string; the whole value, as it is written, when ``isRaw``.
        public var text: JSONText
        /// The enclosing content part or tool call with its braces; the message for strings of its own.
        public var object: Range<Int>
        /// Whether ``text`` spans a value that is not a string.
        public var isRaw: Bool
    }

    /// What `image_url.detail` asks for.
    public enum ImageDetail: String, Sendable {
        case low, medium, high, auto
        case ultraHigh = "ultra_high"
        /// Nothing, or nothing that is known.
        case none
    }

    /// The top-level object with its braces.
    public internal(set) var body: Range<Int>
    /// Every member of the top-level object in document order, duplicates included.
    public internal(set) var members: [Member]
    /// The last `model`; nil when there is none or it is no string.
    public internal(set) var model: JSONText?
    /// Whether `stream` is `true`.
    public internal(set) var isStream: Bool
    /// Whether `stream_options.include_usage` is `true`.
    public internal(set) var includesUsage: Bool
    /// The messages of a chat; one for each prompt of a completion and for each input of an embedding.
    public internal(set) var messages: [Message]
    /// The array with its brackets; nil in everything but a chat.
    public internal(set) var messagesArray: Range<Int>?
    /// The parts of all messages.
    public internal(set) var parts: [Part]
    /// Whether a message of a chat has a member `images`: answers with images come back so.
    public internal(set) var hasAttachedImages: Bool
    /// Every element of `tools` and of its predecessor `functions`, as it is written.
    public internal(set) var toolDefinitions: [Range<Int>]

    /// Scans the body of a request.
    ///
    /// Chats, completions and embeddings are read as far as their texts. Of the other dialects only the top
    /// level is, so there are no messages.
    ///
    /// - Returns: nil when the body is not a JSON object, is nested deeper than 64 levels, or has a shape that
    ///   the dialect does not know, such as a message that is not an object. Such a body cannot be judged, only
    ///   passed on.
    /// - Complexity: O(*n*), about 1 GB/s in tool definitions and 10 GB/s in long strings.
    public init?(scanning body: UnsafeRawBufferPointer, as dialect: Dialect) {
        guard let scan = ConversationScan(body, dialect), let scanned = scan.run() else { return nil }
        self = scanned
    }

    init() {
        body = 0..<0
        members = []
        isStream = false
        includesUsage = false
        messages = []
        parts = []
        hasAttachedImages = false
        toolDefinitions = []
    }
}

extension Conversation {
    /// Where the value of a top-level member lies; of the last one when there are several.
    public func member(_ name: StaticString, in body: UnsafeRawBufferPointer) -> Range<Int>? {
        members.last { $0.key.isEqual(to: name, in: body) }?.value
    }

    /// A string in the top-level object `metadata`, such as `chat_id` or `session_id`.
    public func metadataText(_ name: StaticString, in body: UnsafeRawBufferPointer) -> JSONText? {
        guard let metadata = member("metadata", in: body),
            var json = JSONScanner(body, from: metadata.lowerBound),
            json.enterObject()
        else { return nil }
        var found: JSONText?
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            let text = json.text()
            if key.isEqual(to: name, in: body) { found = text }
        }
        return found
    }

    /// Whether this is one of Open WebUI's background tasks: titles, tags, follow-ups.
    ///
    /// Their templates all start the user message with `### Task:`.
    public func isTask(in body: UnsafeRawBufferPointer) -> Bool {
        guard let message = messages.last(where: { $0.role == .user }),
            let text = parts[message.parts].first(where: { $0.kind == .text })
        else { return false }
        return text.text.hasPrefix("### Task:", in: body)
    }
}
