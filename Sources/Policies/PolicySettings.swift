/// The settings of all policies: complete, typed and checked.
public struct PolicySettings: Equatable, Sendable {
    /// First match wins.
    public var models: [ModelRule]
    /// First match wins; a request that none matches is forwarded unchanged.
    public var routes: [Route]
    public var fallback: FallbackSettings
    public var clip: ClipSettings
    public var breaker: CircuitBreaker.Settings

    public init(
        models: [ModelRule] = [],
        routes: [Route] = [],
        fallback: FallbackSettings = FallbackSettings(),
        clip: ClipSettings = ClipSettings(),
        breaker: CircuitBreaker.Settings = CircuitBreaker.Settings()
    ) {
        self.models = models
        self.routes = routes
        self.fallback = fallback
        self.clip = clip
        self.breaker = breaker
    }

    /// The rule for a model, or nil when the configuration does not know it.
    public func rule(for model: String) -> ModelRule? {
        models.first { rule in rule.match.contains { $0.matches(model) } }
    }
}

/// What the models that a pattern names can take.
///
/// A reference, since several steps of every request ask for one, and a copy would count references of all its texts.
public final class ModelRule: Equatable, Sendable {
    public let match: [Glob]
    public let counting: Counting
    /// The model's own tokens for one token of ``counting``.
    public let tokenScale: Double
    /// Whether ``tokenScale`` is raised by what the provider reports.
    public let calibrates: Bool
    /// The model's window in its own tokens; nil when it is unknown.
    public let contextTokens: Int?
    /// Whether the model sees images; nil when it is unknown.
    public let vision: Bool?
    /// How the model takes images; within the request where nobody says otherwise.
    public let images: ImageForm
    /// Whether the model goes on with an answer that was begun for it.
    public let prefill: Bool
    public let price: Price?

    public init(
        match: [Glob],
        counting: Counting = Counting(),
        tokenScale: Double = 1,
        calibrates: Bool = false,
        contextTokens: Int? = nil,
        vision: Bool? = nil,
        images: ImageForm = .inline,
        prefill: Bool = false,
        price: Price? = nil
    ) {
        self.match = match
        self.counting = counting
        self.tokenScale = tokenScale
        self.calibrates = calibrates
        self.contextTokens = contextTokens
        self.vision = vision
        self.images = images
        self.prefill = prefill
        self.price = price
    }

    public static func == (one: ModelRule, other: ModelRule) -> Bool {
        one.match == other.match && one.price == other.price
            && (one.counting, one.tokenScale, one.calibrates, one.contextTokens)
                == (other.counting, other.tokenScale, other.calibrates, other.contextTokens)
            && (one.vision, one.images, one.prefill) == (other.vision, other.images, other.prefill)
    }
}

/// How a model's prompt is counted, by names that the counting side knows.
public struct Counting: Hashable, Sendable {
    /// The encoding of text.
    public var encoding: String
    /// The rule for images.
    public var images: String

    public init(encoding: String = "o200k_base", images: String = "openai") {
        self.encoding = encoding
        self.images = images
    }
}

/// What a model costs, in US dollars for a million tokens.
public struct Price: Equatable, Sendable {
    public var inputPerMillion: Double
    public var outputPerMillion: Double
    public var cachedInputPerMillion: Double

    public init(inputPerMillion: Double, outputPerMillion: Double, cachedInputPerMillion: Double) {
        self.inputPerMillion = inputPerMillion
        self.outputPerMillion = outputPerMillion
        self.cachedInputPerMillion = cachedInputPerMillion
    }
}

/// When a failed attempt is followed by the next.
public struct FallbackSettings: Equatable, Sendable {
    public var on: Set<FailureClass>
    /// How long a conversation stays on the fallback that it was moved to, from the move.
    public var sticky: Duration
    /// The longest stated delay that is waited for before moving on; zero never waits.
    public var patience: Duration

    /// The classes that route around a failure where the file says nothing.
    public static let usual: Set<FailureClass> = [
        .rateLimited, .quotaExhausted, .overloaded, .upstreamFault, .timeout, .unreachable, .regionBlocked,
    ]

    public init(
        on: Set<FailureClass> = FallbackSettings.usual,
        sticky: Duration = .seconds(600),
        patience: Duration = .zero
    ) {
        self.on = on
        self.sticky = sticky
        self.patience = patience
    }
}

/// How a history is cut to a budget: the `clip` section of the configuration.
public struct ClipSettings: Equatable, Sendable {
    public enum Occasion: String, Equatable, Sendable, CaseIterable {
        /// Only on attempts after the first.
        case fallback
        case always
        case never
    }

    /// What happens when that which is always kept exceeds the budget.
    public enum Oversized: String, Equatable, Sendable, CaseIterable {
        /// Shorten the newest turn.
        case truncate
        /// Answer 400 with the figures.
        case reject
    }

    public var maxContextTokens: Int
    public var on: Occasion
    /// The step in which the cut moves, in tokens; 0 cuts exactly.
    public var blockTokens: Int
    /// Tokens of the window that are kept free for the answer.
    public var reserveOutputTokens: Int
    public var oversized: Oversized
    /// A turn with a message that contains one of these is kept.
    public var pin: [String]

    public init(
        maxContextTokens: Int = 32_000,
        on: Occasion = .fallback,
        blockTokens: Int = 4_000,
        reserveOutputTokens: Int = 0,
        oversized: Oversized = .truncate,
        pin: [String] = []
    ) {
        self.maxContextTokens = maxContextTokens
        self.on = on
        self.blockTokens = blockTokens
        self.reserveOutputTokens = reserveOutputTokens
        self.oversized = oversized
        self.pin = pin
    }
}
