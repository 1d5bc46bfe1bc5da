/// Watches a streamed answer go by and remembers what it has come to.
///
/// Knows the events of the chat, completions, Anthropic, Responses and Gemini dialects by their members, as one
/// server mixes them. An event that is not JSON is passed over.
public struct ChatStreamReader: Sendable {
    /// Whether the event came that ends a stream of this dialect.
    ///
    /// `[DONE]`; `message_stop` of Anthropic; `response.completed`, `.incomplete` and `.failed` of the Responses
    /// API. Gemini's streams have none: there it is the finish reason.
    public var isDone: Bool {
        state.hasEndEvent || dialect == .gemini && state.hasFinish
    }
    /// Whether an event carried an error.
    public var hasError: Bool { state.error != nil }
    /// The payload of the first event with an error, as it is written; at most 4 KiB.
    public var errorText: [UInt8]? { state.error }
    /// What ``ErrorBody`` reads in the first event with an error, however long it is.
    public var errorBody: ErrorBody? { state.errorBody }
    /// Whether the model said why it stopped.
    public var hasFinish: Bool { state.hasFinish }
    /// Whether any output has come: text, reasoning, a tool call, an image.
    ///
    /// A delta that only names the role is none.
    public var sawDelta: Bool { state.sawDelta }
    /// How many events had output, which providers send a token or a few at a time.
    ///
    /// Exact at the end of a stream. Before, the newest two events are taken for such unread.
    public var outputEventCount: Int { state.outputEventCount }
    /// The latest count of tokens; nil until one was stated.
    public var usage: Usage? { state.usage.usage }
    /// Whether a line was too long to be read.
    public var hasOversizedLine: Bool { lines.hasOversizedLine }

    private let dialect: Dialect
    private var lines = SSEReader()
    private var state: StreamState

    /// Stands at the start of an answer to a request of this dialect.
    public init(dialect: Dialect) {
        self.dialect = dialect
        state = StreamState(tellsAllAtTheEnd: dialect == .openAIChat || dialect == .completions)
    }

    /// Takes the next piece of the stream.
    ///
    /// - Complexity: O(*n*); events between the first output and the end are only kept in mind, not parsed.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        Self.feed(bytes, &lines, &state)
    }

    /// Takes the end of the stream, and with it a last line that has no end of its own.
    ///
    /// Finish reason, usage and a late error are known only now, or from the event on that ends the stream.
    public mutating func finish() {
        Self.finish(&lines, &state)
    }

    // The closures may touch the state but not `self`, whose lines are being read meanwhile.
    private static func feed(
        _ bytes: UnsafeRawBufferPointer,
        _ lines: inout SSEReader,
        _ state: inout StreamState
    ) {
        lines.feed(bytes) { state.read($0) }
    }

    private static func finish(_ lines: inout SSEReader, _ state: inout StreamState) {
        lines.finish { state.read($0) }
        state.readLatest()
    }
}
