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
    public var sawDelta: Bool { state.deltas > 0 }
    /// How many events carried output.
    public var deltas: Int { state.deltas }
    /// The latest count of tokens; nil until one was stated.
    public var usage: Usage? { state.usage.usage }
    /// Whether a line was too long to be read.
    public var hasOversizedLine: Bool { lines.hasOversizedLine }

    private let dialect: Dialect
    private var lines = SSEReader()
    private var state = StreamState()

    /// Stands at the start of an answer to a request of this dialect.
    public init(dialect: Dialect) {
        self.dialect = dialect
    }

    /// Takes the next piece of the stream.
    ///
    /// - Complexity: O(*n*), about 1 ns a byte in events of 250 bytes.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        // Taken out, since the closure may not touch `self` while the lines are being read.
        var state = self.state
        lines.feed(bytes) { state.read($0) }
        self.state = state
    }

    /// Takes the end of the stream, and with it a last line that has no end of its own.
    public mutating func finish() {
        var state = self.state
        lines.finish { state.read($0) }
        self.state = state
    }
}
