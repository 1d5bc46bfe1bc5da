import Policies
import Testing

@Suite("A plan is the first matching route's chain")
struct PlannerTests {
    private static let settings = PolicySettings(
        models: [
            ModelRule(match: [Glob("claude*")], tokenScale: 1.25, contextTokens: 200_000, vision: true),
            ModelRule(
                match: [Glob("gemini*")],
                counting: Counting(encoding: "gemma"),
                contextTokens: 1_048_576,
                vision: true
            ),
            ModelRule(match: [Glob("small*")], contextTokens: 8_192, vision: false),
        ],
        routes: [
            Route(
                name: "tasks",
                when: Condition(task: true),
                chain: [.model("gemini-3-flash", upstream: nil), .requested]
            ),
            Route(
                name: "vision",
                when: Condition(images: true, vision: false),
                chain: [.model("gemini-3-flash", upstream: nil), .model("blind", upstream: nil)]
            ),
            Route(
                name: "claude",
                when: Condition(model: [Glob("claude*")]),
                chain: [
                    .requested, .model("gemini-3-pro", upstream: "google"),
                    .model("claude-sonnet-4-5", upstream: nil),
                ]
            ),
            Route(
                name: "small",
                when: Condition(model: [Glob("small*")]),
                chain: [.requested, .model("small-2", upstream: nil), .model("unknown", upstream: nil)]
            ),
        ]
    )

    private static func targets(_ plan: Plan) -> [String] {
        plan.attempts.map { "\($0.target.model)@\($0.target.upstream)" }
    }

    @Test("a request that no route matches is one unchanged attempt")
    func unmatched() {
        let planned = plan(RequestFacts(model: "gpt-4o"), settings: Self.settings, upstream: "litellm")

        #expect(
            planned
                == Plan(
                    route: nil,
                    Attempt(target: Target(model: "gpt-4o", upstream: "litellm"), isForeign: false)
                )
        )
    }

    @Test("members are resolved, and of the same target the first is kept")
    func chain() {
        let planned = plan(
            RequestFacts(model: "claude-sonnet-4-5"),
            settings: Self.settings,
            upstream: "litellm"
        )

        #expect(planned.route == "claude")
        #expect(Self.targets(planned) == ["claude-sonnet-4-5@litellm", "gemini-3-pro@google"])
        #expect(planned.attempts.map(\.isForeign) == [false, true])
    }

    @Test("the first route wins")
    func firstRoute() {
        let facts = RequestFacts(model: "claude-opus-4-5", isTask: true)

        let planned = plan(facts, settings: Self.settings, upstream: "litellm")

        #expect(planned.route == "tasks")
        #expect(Self.targets(planned) == ["gemini-3-flash@litellm", "claude-opus-4-5@litellm"])
    }

    @Test("images skip members that cannot see while one is left that may")
    func images() {
        let facts = RequestFacts(model: "small-1", carriesImages: true)
        var settings = Self.settings
        settings.routes.removeAll { $0.name == "vision" }

        #expect(Self.targets(plan(facts, settings: settings, upstream: "litellm")) == ["unknown@litellm"])

        settings.routes[2].chain.removeLast()
        #expect(
            Self.targets(plan(facts, settings: settings, upstream: "litellm")) == [
                "small-1@litellm", "small-2@litellm",
            ]
        )
    }

    struct BudgetRow: Sendable, CustomTestStringConvertible {
        var when: String
        var clip: ClipSettings
        var model: String
        var budgets: [Budget?]

        var testDescription: String { when }
    }

    static let budgetRows = [
        BudgetRow(
            when: "on fallback: only attempts after the first, and each its own window",
            clip: ClipSettings(),
            model: "claude-opus-4-5",
            budgets: [
                Budget(tokens: 160_000, counting: Counting(encoding: "o200k_base")),
                Budget(tokens: 32_000, counting: Counting(encoding: "gemma")),
                Budget(tokens: 32_000, counting: Counting(encoding: "o200k_base")),
            ]
        ),
        BudgetRow(
            when: "the window where it is smaller, and none that is unknown",
            clip: ClipSettings(on: .always),
            model: "small-1",
            budgets: [
                Budget(tokens: 8_192, counting: Counting(encoding: "o200k_base")),
                Budget(tokens: 8_192, counting: Counting(encoding: "o200k_base")),
                Budget(tokens: 32_000, counting: Counting(encoding: "o200k_base")),
            ]
        ),
        BudgetRow(
            when: "never: only windows",
            clip: ClipSettings(on: .never),
            model: "small-1",
            budgets: [
                Budget(tokens: 8_192, counting: Counting(encoding: "o200k_base")),
                Budget(tokens: 8_192, counting: Counting(encoding: "o200k_base")),
                nil,
            ]
        ),
        BudgetRow(
            when: "what is kept for the answer is taken off",
            clip: ClipSettings(on: .always, reserveOutputTokens: 9_000),
            model: "small-1",
            budgets: [
                Budget(tokens: 0, counting: Counting(encoding: "o200k_base")),
                Budget(tokens: 0, counting: Counting(encoding: "o200k_base")),
                Budget(tokens: 23_000, counting: Counting(encoding: "o200k_base")),
            ]
        ),
    ]

    @Test("budgets", arguments: budgetRows)
    func budgets(_ row: BudgetRow) {
        var settings = Self.settings
        settings.clip = row.clip

        let planned = plan(RequestFacts(model: row.model), settings: settings, upstream: "litellm")

        #expect(planned.attempts.map(\.budget) == row.budgets)
    }

    @Test("a scaled window is rounded down")
    func scaledWindow() {
        var settings = Self.settings
        settings.models[0] = ModelRule(
            match: [Glob("claude*")],
            tokenScale: 1.15,
            contextTokens: 200_000,
            vision: true
        )

        let planned = plan(RequestFacts(model: "claude-opus-4-5"), settings: settings, upstream: "litellm")

        // 200,000 / 1.15 = 173,913.04…
        #expect(planned.attempts[0].budget?.tokens == 173_913)
        #expect(planned.attempts.map { $0.window?.tokens } == [173_913, 1_048_576, 173_913])
    }
}

@Suite("A route takes a request when all of its condition holds")
struct RouteTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var condition: Condition
        var facts: RequestFacts
        var matches: Bool

        var testDescription: String { when }
    }

    static let facts = RequestFacts(
        model: "claude-sonnet-4-5",
        carriesImages: true,
        lastUserText: "make the heading größer",
        tokens: 500,
        headers: ["x-team": "design-1"]
    )

    static let rows = [
        Row(when: "it asks nothing", condition: Condition(), facts: facts, matches: true),
        Row(
            when: "any glob",
            condition: Condition(model: [Glob("gpt*"), Glob("*sonnet*")]),
            facts: facts,
            matches: true
        ),
        Row(when: "no glob", condition: Condition(model: [Glob("gpt*")]), facts: facts, matches: false),
        Row(when: "images", condition: Condition(images: true), facts: facts, matches: true),
        Row(when: "no images", condition: Condition(images: false), facts: facts, matches: false),
        Row(when: "no task", condition: Condition(task: false), facts: facts, matches: true),
        Row(when: "sight", condition: Condition(vision: true), facts: facts, matches: true),
        Row(when: "no sight", condition: Condition(vision: false), facts: facts, matches: false),
        Row(
            when: "unknown sight is not true",
            condition: Condition(vision: true),
            facts: .init(model: "x"),
            matches: false
        ),
        Row(
            when: "unknown sight is not false",
            condition: Condition(vision: false),
            facts: .init(model: "x"),
            matches: false
        ),
        Row(
            when: "tokens within",
            condition: Condition(minTokens: 500, maxTokens: 500),
            facts: facts,
            matches: true
        ),
        Row(when: "too few tokens", condition: Condition(minTokens: 501), facts: facts, matches: false),
        Row(when: "too many tokens", condition: Condition(maxTokens: 499), facts: facts, matches: false),
        Row(
            when: "not counted",
            condition: Condition(maxTokens: 499),
            facts: .init(model: "x"),
            matches: false
        ),
        Row(
            when: "a header",
            condition: Condition(header: ["x-team": Glob("design-*")]),
            facts: facts,
            matches: true
        ),
        Row(
            when: "another value",
            condition: Condition(header: ["x-team": Glob("ops")]),
            facts: facts,
            matches: false
        ),
        Row(
            when: "a missing header",
            condition: Condition(header: ["x-user": Glob("*")]),
            facts: facts,
            matches: false
        ),
        Row(when: "a path", condition: Condition(path: Glob("/v1/*")), facts: facts, matches: true),
        Row(when: "another path", condition: Condition(path: Glob("/v1")), facts: facts, matches: false),
        Row(
            when: "any word",
            condition: Condition(contains: ["kleiner", "größer"]),
            facts: facts,
            matches: true
        ),
        Row(when: "no word", condition: Condition(contains: ["kleiner"]), facts: facts, matches: false),
        Row(when: "one of two", condition: Condition(images: true, task: true), facts: facts, matches: false),
    ]

    @Test("matches", arguments: rows)
    func matches(_ row: Row) {
        let settings = PolicySettings(models: [ModelRule(match: [Glob("claude*")], vision: true)])

        #expect(
            Route(name: "r", when: row.condition, chain: [.requested]).matches(row.facts, settings)
                == row.matches
        )
    }

    @Test("the settings say what routes ask for")
    func asks() {
        let settings = PolicySettings(routes: [
            Route(name: "a", when: Condition(header: ["x-team": Glob("*")]), chain: [.requested]),
            Route(
                name: "b",
                when: Condition(maxTokens: 5, header: ["x-user": Glob("*")]),
                chain: [.requested]
            ),
        ])
        var expected = RouteQuestions()
        expected.headerNames = ["x-team", "x-user"]
        expected.tokens = true

        #expect(RouteQuestions(of: settings.routes.map(\.when)) == expected)
        #expect(RouteQuestions(of: []) == RouteQuestions())
        expected = RouteQuestions()
        expected.lastUserText = true
        let words = Route(name: "c", when: Condition(contains: ["x"]), chain: [.requested])
        #expect(RouteQuestions(of: [words.when]) == expected)
    }
}
