import Policies
import Testing

@Suite("A request takes part in one experiment at most")
struct AssignmentTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var facts: RequestFacts
        var experiments: [Experiment]
        var forced: String?
        /// `experiment/arm`, or nil where it takes part in none.
        var expected: String?

        var testDescription: String { when }
    }

    static let unit = StableDigest(high: 1, low: 2)
    static let rows = [
        Row(when: "there are no experiments", facts: facts(), experiments: [], expected: nil),
        Row(
            when: "the first that matches takes it",
            facts: facts(),
            experiments: [only("gpt", model: "gpt*"), only("first"), only("second")],
            expected: "first/on"
        ),
        Row(
            when: "none matches",
            facts: facts(),
            experiments: [only("gpt", model: "gpt*")],
            expected: nil
        ),
        Row(
            when: "by request, every request has one",
            facts: facts(conversation: nil, user: nil),
            experiments: [only("first", by: .request)],
            expected: "first/on"
        ),
        Row(
            when: "by user",
            facts: facts(conversation: nil, request: nil),
            experiments: [only("first", by: .user)],
            expected: "first/on"
        ),
        Row(
            when: "without a user: in none, not in the next one either",
            facts: facts(user: nil),
            experiments: [only("first", by: .user), only("second", by: .request)],
            expected: nil
        ),
        Row(
            when: "a task is in no experiment by conversation, and not in the next one",
            facts: facts(isTask: true),
            experiments: [only("first"), only("second", by: .request)],
            expected: nil
        ),
        Row(
            when: "a task is in an experiment by user",
            facts: facts(isTask: true),
            experiments: [only("first", by: .user)],
            expected: "first/on"
        ),
        Row(
            when: "a client may ask for an arm, even for one of weight 0",
            facts: facts(),
            experiments: [only("first")],
            forced: "out",
            expected: "first/out"
        ),
        Row(
            when: "an arm that the experiment does not have is ignored",
            facts: facts(),
            experiments: [only("first")],
            forced: "wide",
            expected: "first/on"
        ),
        Row(
            when: "asking for an arm does not take part for it",
            facts: facts(isTask: true),
            experiments: [only("first")],
            forced: "on",
            expected: nil
        ),
    ]

    @Test("takes part", arguments: rows)
    func takesPart(_ row: Row) {
        let place = assignment(
            of: row.facts,
            in: row.experiments,
            settings: PolicySettings(),
            forced: row.forced
        )

        let names = place.map {
            "\(row.experiments[$0.experiment].name)/\(row.experiments[$0.experiment].arms[$0.arm].name)"
        }
        #expect(names == row.expected)
    }

    @Test("it is drawn by what the experiment says", arguments: Experiment.Unit.allCases)
    func unit(by unit: Experiment.Unit) {
        let arms = [Experiment.Arm(name: "a", weight: 1), Experiment.Arm(name: "b", weight: 1)]
        let experiment = Experiment(name: "first", by: unit, arms: arms)

        for number in 0..<64 {
            let digest = StableDigest(high: UInt64(number), low: 0)
            var facts = Self.facts()
            switch unit {
            case .conversation: facts.conversation = digest
            case .user: facts.user = digest
            case .request: facts.request = digest
            }
            let place = assignment(of: facts, in: [experiment], settings: PolicySettings())
            #expect(place?.arm == experiment.arm(for: digest))
        }
    }

    @Test("experiments are asked for what they need to know, like routes")
    func asks() {
        var expected = RouteQuestions()
        expected.headerNames = ["x-team"]
        expected.lastUserText = true
        expected.tokens = true

        let asks = RouteQuestions(of: [
            Condition(minTokens: 5), Condition(header: ["x-team": Glob("*")]), Condition(contains: ["x"]),
        ])

        #expect(asks == expected)
        #expect(RouteQuestions(of: [Condition(task: true)]) == RouteQuestions())
    }

    private static func facts(
        isTask: Bool = false,
        conversation: StableDigest? = unit,
        user: StableDigest? = unit,
        request: StableDigest? = unit
    ) -> RequestFacts {
        RequestFacts(
            model: "claude-opus-4-5",
            isTask: isTask,
            conversation: conversation,
            user: user,
            request: request
        )
    }

    private static func only(
        _ name: String,
        by unit: Experiment.Unit = .conversation,
        model: String? = nil
    ) -> Experiment {
        Experiment(
            name: name,
            by: unit,
            when: Condition(model: model.map { [Glob($0)] } ?? []),
            arms: [
                .init(name: "on", weight: 1), .init(name: "off", weight: 0), .init(name: "out", weight: 0),
            ]
        )
    }
}
