/// What clipping may know about a message.
public struct ClipMessage: Equatable, Sendable {
    public enum Role: Equatable, Sendable {
        /// Always kept; `developer` counts as this.
        case system
        /// Begins a turn.
        case user
        case assistant
        /// The result of a tool or of a function.
        case tool
    }

    public var role: Role
    /// All that the message costs: text, calls, images and its share of the framing.
    public var tokens: Int
    /// The tool calls that it makes, by small numbers that the caller gives to ids.
    public var opensCalls: [Int]
    /// The tool call whose result it is.
    public var answersCall: Int?
    /// Whether the configuration wants its turn to be kept.
    public var isPinned: Bool

    public init(
        _ role: Role,
        tokens: Int,
        opensCalls: [Int] = [],
        answersCall: Int? = nil,
        isPinned: Bool = false
    ) {
        self.role = role
        self.tokens = tokens
        self.opensCalls = opensCalls
        self.answersCall = answersCall
        self.isPinned = isPinned
    }
}

/// What is left out of a history, and what that makes of its size.
public struct Cut: Equatable, Sendable {
    /// Positions of the messages to leave out, ascending.
    public var dropped: [Int]
    /// Tokens of the whole request as it came.
    public var before: Int
    /// Tokens without the dropped messages.
    public var after: Int
    /// By how much that which is always kept exceeds the budget; 0 when the rest fits.
    public var shortfall: Int

    public init(dropped: [Int] = [], before: Int, after: Int, shortfall: Int = 0) {
        self.dropped = dropped
        self.before = before
        self.after = after
        self.shortfall = shortfall
    }
}
