import Policies
import Testing

@Suite("LiteLLM vouches for a client, and nobody else does")
struct VouchingRecordsTests {
    enum Expected: Equatable, Sendable {
        case yes, renew, no, ask, wait

        init(_ answer: VouchingRecords.Answer) {
            self =
                switch answer {
                case .yes: .yes
                case .yesButRenew: .renew
                case .no: .no
                case .ask: .ask
                case .wait: .wait
                }
        }
    }

    enum Step: Sendable {
        /// A request comes for a model.
        case look(_ model: String, Expected)
        /// The question that was put last is answered.
        case learn(VouchingRecords.Finding)
        case revoke
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        /// In seconds from the first request.
        var steps: [(at: Double, Step)]

        var testDescription: String { when }
    }

    static let day = 86_400.0

    static let rows = [
        Row(
            when: "an unknown client is asked for, and the others wait for the same answer",
            steps: [
                (0, .look("claude", .ask)), (1, .look("claude", .wait)), (1, .look("gemini", .wait)),
                (2, .learn(.listed(["claude"]))), (2, .look("claude", .yes)), (2, .look("gemini", .no)),
            ]
        ),
        Row(
            when: "patterns are listed too, and capitals matter",
            steps: [
                (0, .look("anthropic/claude", .ask)), (0, .learn(.listed(["gpt-4o", "anthropic/*"]))),
                (0, .look("anthropic/claude", .yes)), (0, .look("gpt-4o", .yes)), (0, .look("openai/x", .no)),
                (0, .look("GPT-4o", .no)), (0, .look("", .no)),
            ]
        ),
        Row(
            when: "an empty list lists nothing",
            steps: [(0, .look("claude", .ask)), (0, .learn(.listed([]))), (0, .look("claude", .no))]
        ),
        Row(
            when: "a yes is renewed from 240 s on, once, while nobody waits",
            steps: [
                (0, .look("claude", .ask)), (0, .learn(.listed(["claude"]))), (239.9, .look("claude", .yes)),
                (240, .look("claude", .renew)), (241, .look("claude", .yes)),
                (242, .learn(.listed(["claude"]))), (479.9, .look("claude", .yes)),
                (480, .look("claude", .renew)),
            ]
        ),
        Row(
            when: "a yes is not used behind 300 s, not even while its renewal is on its way",
            steps: [
                (0, .look("claude", .ask)), (0, .learn(.listed(["claude"]))),
                (299.9, .look("claude", .renew)),
                (300, .look("claude", .wait)), (301, .learn(.refused)), (301, .look("claude", .no)),
            ]
        ),
        Row(
            when: "a client that was away for long is asked for anew",
            steps: [
                (0, .look("claude", .ask)), (0, .learn(.listed(["claude"]))), (300, .look("claude", .ask)),
            ]
        ),
        Row(
            when: "a yes counts from the question, not from the answer",
            steps: [
                (0, .look("claude", .ask)), (9, .learn(.listed(["claude"]))), (240, .look("claude", .renew)),
            ]
        ),
        Row(
            when: "a refusal holds for 30 s",
            steps: [
                (0, .look("claude", .ask)), (1, .learn(.refused)), (30.9, .look("claude", .no)),
                (31, .look("claude", .ask)), (31, .learn(.listed(["claude"]))), (31, .look("claude", .yes)),
            ]
        ),
        Row(
            when: "that a model is not listed holds for 30 s; what is listed stays good meanwhile",
            steps: [
                (0, .look("gemini", .ask)), (0, .learn(.listed(["claude"]))), (29.9, .look("gemini", .no)),
                (30, .look("gemini", .ask)), (30, .look("claude", .yes)), (31, .look("gemini", .wait)),
                (31, .learn(.listed(["claude", "gemini"]))), (31, .look("gemini", .yes)),
            ]
        ),
        Row(
            when: "a renewal may take a model away",
            steps: [
                (0, .look("claude", .ask)), (0, .learn(.listed(["claude"]))), (250, .look("claude", .renew)),
                (250, .learn(.listed(["gemini"]))), (250, .look("claude", .no)),
            ]
        ),
        Row(
            when: "an unknown client is not vouched for while LiteLLM is down, and asked for every 5 s",
            steps: [
                (0, .look("claude", .ask)), (1, .learn(.unreachable)), (1, .look("claude", .no)),
                (5.9, .look("claude", .no)), (6, .look("claude", .ask)), (6, .learn(.unreachable)),
                (10.9, .look("claude", .no)), (11, .look("claude", .ask)),
                (11, .learn(.listed(["claude"]))), (11, .look("claude", .yes)),
            ]
        ),
        Row(
            when: "a refused client is not vouched for because LiteLLM goes down",
            steps: [
                (0, .look("claude", .ask)), (0, .learn(.listed(["claude"]))), (240, .look("claude", .renew)),
                (240, .learn(.refused)), (270, .look("claude", .ask)), (270, .learn(.unreachable)),
                (270, .look("claude", .no)), (274.9, .look("claude", .no)), (275, .look("claude", .ask)),
            ]
        ),
        Row(
            when: "a model that was not listed is not vouched for because LiteLLM goes down",
            steps: [
                (0, .look("claude", .ask)), (0, .learn(.listed(["claude"]))), (30, .look("gemini", .ask)),
                (30, .learn(.unreachable)), (30, .look("gemini", .no)), (30, .look("claude", .yes)),
            ]
        ),
        Row(
            when: "while LiteLLM is down a yes stays good, and LiteLLM is asked again every 10 s",
            steps: [
                (0, .look("claude", .ask)), (0, .learn(.listed(["claude"]))), (240, .look("claude", .renew)),
                (241, .learn(.unreachable)), (250.9, .look("claude", .yes)), (251, .look("claude", .renew)),
                (252, .learn(.unreachable)), (310, .look("claude", .renew)), (311, .look("claude", .yes)),
                (311, .learn(.unreachable)), (320.9, .look("claude", .yes)), (321, .look("claude", .renew)),
                (321, .learn(.refused)), (321, .look("claude", .no)),
            ]
        ),
        Row(
            when: "a client that comes back during an outage waits for one question",
            steps: [
                (0, .look("claude", .ask)), (0, .learn(.listed(["claude"]))), (9_000, .look("claude", .ask)),
                (9_001, .look("claude", .wait)), (9_005, .learn(.unreachable)),
                (9_005, .look("claude", .yes)),
            ]
        ),
        Row(
            when: "an outage that was noticed 300 s ago is no reason any more",
            steps: [
                (0, .look("claude", .ask)), (0, .learn(.listed(["claude"]))), (1_000, .look("claude", .ask)),
                (1_000, .learn(.unreachable)), (1_299.9, .look("claude", .renew)),
                (1_300, .look("claude", .wait)),
                (1_315, .look("claude", .ask)),
            ]
        ),
        Row(
            when: "a yes ends 24 h after the last one, however long the outage",
            steps: [
                (0, .look("claude", .ask)), (0, .learn(.listed(["claude"]))),
                (day - 20, .look("claude", .ask)), (day - 20, .learn(.unreachable)),
                (day - 0.1, .look("claude", .renew)), (day, .learn(.unreachable)),
                (day, .look("claude", .no)),
                (day + 5, .look("claude", .ask)), (day + 5, .learn(.listed(["claude"]))),
                (day + 5, .look("claude", .yes)),
            ]
        ),
        Row(
            when: "a revocation holds at once, for 30 s",
            steps: [
                (0, .look("claude", .ask)), (0, .learn(.listed(["claude"]))), (10, .revoke),
                (10, .look("claude", .no)), (39.9, .look("claude", .no)), (40, .look("claude", .ask)),
            ]
        ),
        Row(
            when: "an answer to a question from before a revocation is worth nothing",
            steps: [
                (0, .look("claude", .ask)), (0, .learn(.listed(["claude"]))), (240, .look("claude", .renew)),
                (241, .revoke), (242, .learn(.listed(["claude"]))), (242, .look("claude", .no)),
            ]
        ),
        Row(
            when: "an outage does not bring a revoked client back",
            steps: [
                (0, .look("claude", .ask)), (0, .learn(.unreachable)), (5, .look("claude", .ask)),
                (5, .learn(.listed(["claude"]))), (6, .revoke), (36, .look("claude", .ask)),
                (36, .learn(.unreachable)), (36, .look("claude", .no)),
            ]
        ),
        Row(
            when: "who was never asked for cannot be revoked, but is asked for",
            steps: [(0, .revoke), (0, .look("claude", .ask))]
        ),
        Row(
            when: "a question without an answer is given up after 15 s",
            steps: [(0, .look("claude", .ask)), (14.9, .look("claude", .wait)), (15, .look("claude", .ask))]
        ),
    ]

    @Test("step by step", arguments: rows)
    func walk(_ row: Row) throws {
        let start = ContinuousClock.now
        let client = StableDigest(high: 1, low: 2)
        var records = VouchingRecords()
        var question: VouchingRecords.Question?

        for (seconds, step) in row.steps {
            let now = start + .seconds(seconds)
            switch step {
            case .look(let model, let expected):
                let isVouched = records.vouches(for: client, model: model, at: now)
                let answer = records.lookUp(client, model: model, at: now)
                #expect(isVouched == [.yes, .renew].contains(expected), "\(model) at \(seconds) s")
                #expect(Expected(answer) == expected, "\(model) at \(seconds) s")
                question = answer.question ?? question
            case .learn(let finding):
                records.learned(finding, to: try #require(question), at: now)
            case .revoke:
                records.revoke(client, at: now)
            }
        }
    }
}

extension VouchingRecords.Answer {
    /// The question that is to be put.
    var question: VouchingRecords.Question? {
        switch self {
        case .ask(let question), .yesButRenew(let question): question
        case .yes, .no, .wait: nil
        }
    }
}
