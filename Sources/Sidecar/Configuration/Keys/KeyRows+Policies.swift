import Policies

let policyKeys = fallbackKeys + clipKeys + breakerKeys

private let fallbackKeys = [
    KeyRow(
        "fallback",
        .object,
        .otherwise([:]),
        doc: "When a failed attempt is followed by the next one of its chain."
    ),
    KeyRow(
        "fallback.on",
        .list(of: .choice(FallbackSettings.routable.map(\.rawValue))),
        .otherwise(
            .list(
                FallbackSettings.routable.filter(FallbackSettings.usual.contains).map { .text($0.rawValue) }
            )
        ),
        doc: "The failures that are routed around."
    ),
    KeyRow(
        "fallback.stickySeconds",
        .number(0...604_800, .seconds),
        .otherwise(600),
        doc: "How long a conversation that was moved stays where it is, from the move."
    ),
    KeyRow(
        "fallback.patienceSeconds",
        .number(0...600, .seconds),
        .otherwise(0),
        doc: "The longest stated delay that is waited for, once, before the next of the chain is asked."
    ),
]

private let clipKeys = [
    KeyRow("clip", .object, .otherwise([:]), doc: "How a history is cut to a budget."),
    KeyRow(
        "clip.maxContextTokens",
        .integer(1...100_000_000, .tokens),
        .otherwise(32_000),
        doc: "The budget, in tokens of the target's `encoding`."
    ),
    KeyRow(
        "clip.on",
        .choice(ClipSettings.Occasion.allCases.map(\.rawValue)),
        .otherwise("fallback"),
        doc: "Whether every attempt has the budget, only those after the first, or none."
    ),
    KeyRow(
        "clip.blockTokens",
        .integer(0...100_000_000, .tokens),
        .otherwise(4_000),
        doc: "The step in which the cut moves, so that prompt caches keep hitting; 0 cuts exactly."
    ),
    KeyRow(
        "clip.reserveOutputTokens",
        .integer(0...100_000_000, .tokens),
        .otherwise(0),
        doc: "Kept free for the answer."
    ),
    KeyRow(
        "clip.oversized",
        .choice(ClipSettings.Oversized.allCases.map(\.rawValue)),
        .otherwise("truncate"),
        doc: "Whether the newest turn is shortened when it does not fit alone, or the request refused."
    ),
    KeyRow(
        "clip.pin",
        .list(of: .text(.filled)),
        .otherwise([]),
        example: ["typography"],
        doc: "A turn with a message that contains one of these is kept."
    ),
]

private let breakerKeys = [
    KeyRow("breaker", .object, .otherwise([:]), doc: "When a target is left alone, and for how long."),
    KeyRow(
        "breaker.rateLimitsToOpen",
        .integer(1...1_000),
        .otherwise(1),
        doc: "Rate limits, exhausted quotas and overloads in a row that open it."
    ),
    KeyRow(
        "breaker.failuresToOpen",
        .integer(1...1_000),
        .otherwise(5),
        doc: "Other failures in a row that open it."
    ),
    KeyRow(
        "breaker.cooldownSeconds",
        .integer(1...86_400, .seconds),
        .otherwise(15),
        doc: "How long it stays open at first where the target states no delay."
    ),
    KeyRow(
        "breaker.maxCooldownSeconds",
        .integer(1...86_400, .seconds),
        .otherwise(30),
        doc: "The cooldown doubles up to this while probes fail."
    ),
    KeyRow(
        "breaker.maxRetryAfterSeconds",
        .integer(0...604_800, .seconds),
        .otherwise(3_600),
        doc: "The longest delay that a target may state."
    ),
]
