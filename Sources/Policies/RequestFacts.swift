/// All that policies may know about a request.
///
/// Built once, from the scanned body and the request head. What costs time to find out (token counts) is not
/// here: it is asked for by ``Budget`` when an attempt needs it.
public struct RequestFacts: Equatable, Sendable {
    /// The model that the client asked for; empty when the body names none.
    public var model: String
    /// Path of the request target, without the query.
    public var path: String
    /// Whether the client asked for a stream.
    public var isStream: Bool
    /// Whether any message carries an image.
    public var carriesImages: Bool
    /// Whether the newest message is the user's, not a tool result or a text of the assistant.
    public var startsTurn: Bool
    /// Whether this is one of Open WebUI's background tasks (titles, tags, follow-ups).
    public var isTask: Bool
    /// The decoded text of the last user message, lowercased; empty when no route asks for it.
    public var lastUserText: String
    /// Tokens of the whole request, unscaled, in the requested model's encoding; nil when no route asks for it.
    public var tokens: Int?
    /// Request headers by lowercased name; only those that some route asks for.
    public var headers: [String: String]
    /// The conversation that the request belongs to; nil where there is none, as for tasks.
    public var conversation: StableDigest?
    /// Who asks; nil when it is unknown.
    public var user: StableDigest?
    /// This request alone; nil where nothing is drawn by it.
    public var request: StableDigest?

    public init(
        model: String,
        path: String = "/v1/chat/completions",
        isStream: Bool = false,
        carriesImages: Bool = false,
        startsTurn: Bool = true,
        isTask: Bool = false,
        lastUserText: String = "",
        tokens: Int? = nil,
        headers: [String: String] = [:],
        conversation: StableDigest? = nil,
        user: StableDigest? = nil,
        request: StableDigest? = nil
    ) {
        self.model = model
        self.path = path
        self.isStream = isStream
        self.carriesImages = carriesImages
        self.startsTurn = startsTurn
        self.isTask = isTask
        self.lastUserText = lastUserText
        self.tokens = tokens
        self.headers = headers
        self.conversation = conversation
        self.user = user
        self.request = request
    }
}
