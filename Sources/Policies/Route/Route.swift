/// A rule that sends matching requests along a chain of targets.
public struct Route: Equatable, Sendable {
    public var name: String
    public var when: Condition
    /// Never empty.
    public var chain: [ChainMember]

    public init(name: String, when: Condition, chain: [ChainMember]) {
        self.name = name
        self.when = when
        self.chain = chain
    }
}

/// One place in a chain.
public enum ChainMember: Equatable, Sendable {
    /// `$requested`: the model that the client asked for, at the listener's upstream.
    case requested
    /// A named model; a nil upstream means the listener's.
    case model(String, upstream: String?)
}

/// What a request must be for a route to take it; a nil or empty member does not ask.
public struct Condition: Equatable, Sendable {
    public var model: [Glob]
    public var images: Bool?
    /// Whether the requested model can see; a model of unknown sight never matches.
    public var vision: Bool?
    public var task: Bool?
    public var minTokens: Int?
    public var maxTokens: Int?
    /// Lowercased header name to pattern; all must match.
    public var header: [String: Glob]
    public var path: Glob?
    /// Any of these words in the last user message; lowercased.
    public var contains: [String]

    public init(
        model: [Glob] = [],
        images: Bool? = nil,
        vision: Bool? = nil,
        task: Bool? = nil,
        minTokens: Int? = nil,
        maxTokens: Int? = nil,
        header: [String: Glob] = [:],
        path: Glob? = nil,
        contains: [String] = []
    ) {
        self.model = model
        self.images = images
        self.vision = vision
        self.task = task
        self.minTokens = minTokens
        self.maxTokens = maxTokens
        self.header = header
        self.path = path
        self.contains = contains
    }
}
