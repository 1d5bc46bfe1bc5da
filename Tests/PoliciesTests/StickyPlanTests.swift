import Policies
import TestSupport
import Testing

@Suite("A moved conversation begins with its fallback")
struct StickyPlanTests {
    private static let start = ContinuousClock.now
    private static let names = ["a", "b", "c", "d"]

    private static func target(_ model: String) -> Target { Target(model: model, upstream: "litellm") }

    /// A chain of four behind the model `a`; `c` cannot see images.
    private static let settings = PolicySettings(
        models: [
            ModelRule(match: [Glob("b")], contextTokens: 9_000),
            ModelRule(match: [Glob("c")], vision: false),
        ],
        routes: [
            Route(
                name: "r",
                when: Condition(model: [Glob("a")]),
                chain: [.requested] + names.dropFirst().map { .model($0, upstream: nil) }
            )
        ]
    )

    private static func facts(
        _ model: String = "a",
        carriesImages: Bool = false,
        startsTurn: Bool = true,
        isTask: Bool = false,
        isConversation: Bool = true
    ) -> RequestFacts {
        RequestFacts(
            model: model,
            carriesImages: carriesImages,
            startsTurn: startsTurn,
            isTask: isTask,
            conversation: isConversation ? StableDigest(high: 1, low: 2) : nil
        )
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var facts = StickyPlanTests.facts()
        var target = "c"
        /// Seconds from now.
        var until = 60
        var primary = CircuitBreaker.Forecast.pass
        var order = "abcd"

        var testDescription: String { when }

        var plan: Plan {
            Policies.plan(
                facts,
                settings: StickyPlanTests.settings,
                upstream: "litellm",
                in: Situation(
                    now: start,
                    sticky: StickyRoute(
                        target: StickyPlanTests.target(target),
                        until: start + .seconds(until)
                    ),
                    primary: primary
                )
            )
        }
    }

    private static let refused = CircuitBreaker.Forecast.refuse(until: start + .seconds(5))
    private static let result = facts(startsTurn: false)

    static let rows = [
        Row(when: "a turn starts: the fallback, those behind it, those before it", order: "cdab"),
        Row(when: "the last of the chain", target: "d", order: "dabc"),
        Row(when: "the primary is open", primary: refused, order: "cdab"),
        Row(when: "the primary awaits its probe: this may be it", primary: .probe),
        Row(when: "its time is over", until: 0),
        Row(when: "its time is over and the primary open", until: -9, primary: refused),
        Row(when: "a tool result stays", facts: result, order: "cdab"),
        Row(when: "a tool result stays after its time", facts: result, until: -9, order: "cdab"),
        Row(when: "a tool result is no probe", facts: result, primary: .probe, order: "cdab"),
        Row(when: "the fallback is the first by now", facts: result, target: "a"),
        Row(when: "the fallback is no member any more", facts: result, target: "x"),
        Row(when: "no conversation", facts: facts(isConversation: false)),
        Row(when: "a task", facts: facts(isTask: true)),
        Row(when: "an image that the fallback cannot see", facts: facts(carriesImages: true), order: "abd"),
        Row(
            when: "an image that it can see",
            facts: facts(carriesImages: true),
            target: "b",
            order: "bda"
        ),
        Row(when: "no route", facts: facts("x"), target: "b", order: "x"),
    ]

    @Test("order", arguments: rows)
    func order(_ row: Row) {
        let plan = row.plan

        #expect(plan.attempts.map(\.target.model).joined() == row.order)
        #expect(plan.isSticky == (row.order.first != row.facts.model.first))
        #expect(plan.attempts[plan.primaryPlace].target.model == row.facts.model)
    }

    struct AnswerRow: Sendable, CustomTestStringConvertible {
        var when: String
        var facts = StickyPlanTests.facts()
        var answered: String
        var stickiness: Stickiness

        var testDescription: String { when }
    }

    static let answers = [
        AnswerRow(when: "the primary", answered: "a", stickiness: .returned),
        AnswerRow(when: "a fallback", answered: "d", stickiness: .moved(target("d"))),
        AnswerRow(
            when: "a fallback inside a turn",
            facts: result,
            answered: "b",
            stickiness: .moved(target("b"))
        ),
        AnswerRow(when: "a task", facts: facts(isTask: true), answered: "b", stickiness: .none),
        AnswerRow(
            when: "no conversation",
            facts: facts(isConversation: false),
            answered: "b",
            stickiness: .none
        ),
        AnswerRow(when: "no route", facts: facts("x"), answered: "x", stickiness: .none),
    ]

    @Test("what an answer changes", arguments: answers)
    func stickiness(_ row: AnswerRow) {
        let chain = plan(row.facts, settings: Self.settings, upstream: "litellm")

        #expect(chain.stickiness(afterAnswerFrom: Self.target(row.answered), row.facts) == row.stickiness)
    }

    @Test("a chain of one is not kept to anything")
    func chainOfOne() {
        let alone = Plan(route: "r", Attempt(target: Self.target("a"), isForeign: false))

        #expect(alone.stickiness(afterAnswerFrom: Self.target("a"), Self.facts()) == .none)
    }

    /// Seeds in groups, so that the runner's cost for each test case does not outweigh the test.
    @Test("whatever was remembered, attempts keep their budgets and none is lost", arguments: 0..<20)
    func anySituation(group: Int) {
        for seed in group * 100..<(group + 1) * 100 {
            var random = SplitMix(seed: UInt64(seed))
            let row = Self.anyRow(&random)
            let chain = plan(row.facts, settings: Self.settings, upstream: "litellm")
            let planned = row.plan

            #expect(
                planned.attempts.sorted { $0.target.model < $1.target.model } == chain.attempts,
                "seed \(seed)"
            )
            #expect(planned.attempts[planned.primaryPlace] == chain.attempts[0], "seed \(seed)")
            #expect(planned.isSticky == (planned.attempts[0] != chain.attempts[0]), "seed \(seed)")
            #expect(!planned.isSticky || planned.attempts[0].target == Self.target(row.target))
            let isMember = chain.attempts.dropFirst().contains { $0.target == Self.target(row.target) }
            if !row.facts.startsTurn, !row.facts.isTask, row.facts.conversation != nil, isMember {
                #expect(planned.attempts[0].target == Self.target(row.target), "seed \(seed)")
            }
            if row.until <= 0, row.facts.startsTurn { #expect(planned == chain, "seed \(seed)") }
        }
    }

    private static func anyRow(_ random: inout SplitMix) -> Row {
        let forecasts: [CircuitBreaker.Forecast] = [.pass, .probe, refused]
        return Row(
            when: "any",
            facts: facts(
                carriesImages: Bool.random(using: &random),
                startsTurn: Bool.random(using: &random),
                isTask: Int.random(in: 0..<8, using: &random) == 0,
                isConversation: Int.random(in: 0..<8, using: &random) > 0
            ),
            target: ["a", "b", "c", "d", "x"][Int.random(in: 0..<5, using: &random)],
            until: Int.random(in: -5...5, using: &random),
            primary: forecasts[Int.random(in: 0..<3, using: &random)]
        )
    }
}
