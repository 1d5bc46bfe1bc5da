import Policies
import Testing

@Suite("Clipping keeps the newest part of a conversation, in blocks")
struct ClipPolicyTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var messages: [ClipMessage]
        var overhead = 0
        var budget: Int
        var block = 0
        var dropped: [Int]
        var shortfall = 0

        var testDescription: String { when }
    }

    static let rows = [
        Row(when: "all fits", messages: turns(10, 10), budget: 20, dropped: []),
        Row(
            when: "all fits, whatever its shape",
            messages: [.init(.tool, tokens: 5, answersCall: 7), .init(.assistant, tokens: 5)],
            budget: 10,
            dropped: []
        ),
        Row(when: "the oldest turn goes first", messages: turns(10, 10, 10), budget: 20, dropped: [0]),
        Row(
            when: "a turn is dropped whole",
            messages: [
                .init(.user, tokens: 10), .init(.assistant, tokens: 1), .init(.user, tokens: 5),
                .init(.user, tokens: 5),
            ],
            budget: 20,
            dropped: [0, 1]
        ),
        Row(
            when: "system messages and tools are charged first and kept",
            messages: [
                .init(.system, tokens: 25), .init(.user, tokens: 10), .init(.system, tokens: 5),
                .init(.user, tokens: 5),
            ],
            overhead: 5,
            budget: 40,
            dropped: [1]
        ),
        Row(
            when: "nothing may be dropped",
            messages: [.init(.system, tokens: 25), .init(.user, tokens: 10)],
            budget: 30,
            dropped: [],
            shortfall: 5
        ),
        Row(
            when: "the newest turn alone is too long: the rest goes all the same",
            messages: turns(10, 10, 50),
            budget: 30,
            dropped: [0, 1],
            shortfall: 20
        ),
        Row(when: "there are no messages", messages: [], overhead: 12, budget: 10, dropped: [], shortfall: 2),
        Row(
            when: "a remnant without a user message goes first, and its pin with it",
            messages: [.init(.assistant, tokens: 4, isPinned: true)] + turns(10, 10),
            budget: 23,
            dropped: [0]
        ),
        Row(
            when: "a pinned turn is kept whole, with what answers it",
            messages: [
                .init(.user, tokens: 10), .init(.user, tokens: 5),
                .init(.assistant, tokens: 5, isPinned: true),
                .init(.user, tokens: 10), .init(.user, tokens: 10),
            ],
            budget: 25,
            dropped: [0, 3]
        ),
        Row(
            when: "of pins that do not fit the oldest go first",
            messages: [
                .init(.user, tokens: 5, isPinned: true), .init(.user, tokens: 15, isPinned: true),
                .init(.user, tokens: 10, isPinned: true), .init(.user, tokens: 10),
            ],
            budget: 25,
            dropped: [0, 1]
        ),
        Row(
            when: "a tool result goes with its call",
            messages: [
                .init(.user, tokens: 5), .init(.assistant, tokens: 5, opensCalls: [1]),
                .init(.tool, tokens: 20, answersCall: 1), .init(.user, tokens: 5),
            ],
            budget: 30,
            dropped: [0, 1, 2]
        ),
        Row(
            when: "a user message between call and result does not part them",
            messages: [
                .init(.user, tokens: 5), .init(.assistant, tokens: 5, opensCalls: [1]),
                .init(.user, tokens: 5),
                .init(.tool, tokens: 5, answersCall: 1), .init(.user, tokens: 5),
            ],
            budget: 20,
            dropped: [0, 1, 2, 3]
        ),
        Row(
            when: "a result that belongs to an old call ties all that stands between to the newest turn",
            messages: [
                .init(.user, tokens: 5), .init(.user, tokens: 5),
                .init(.assistant, tokens: 5, opensCalls: [1]),
                .init(.user, tokens: 5), .init(.user, tokens: 5), .init(.tool, tokens: 5, answersCall: 1),
            ],
            budget: 20,
            dropped: [0],
            shortfall: 5
        ),
        Row(
            when: "a pin in a turn that a call ties to the one before keeps both",
            messages: [
                .init(.user, tokens: 5), .init(.user, tokens: 5),
                .init(.assistant, tokens: 5, opensCalls: [1]),
                .init(.user, tokens: 5, isPinned: true), .init(.tool, tokens: 5, answersCall: 1),
                .init(.user, tokens: 5), .init(.user, tokens: 5),
            ],
            budget: 25,
            dropped: [0, 5]
        ),
        Row(
            when: "calls are numbered anew in every turn: a result belongs to the last one before it",
            messages: [
                .init(.user, tokens: 5), .init(.assistant, tokens: 5, opensCalls: [0]),
                .init(.tool, tokens: 5, answersCall: 0), .init(.user, tokens: 5),
                .init(.assistant, tokens: 5, opensCalls: [0]), .init(.tool, tokens: 5, answersCall: 0),
            ],
            budget: 20,
            dropped: [0, 1, 2]
        ),
        Row(
            when: "the cut stands at the first boundary after k blocks",
            messages: turns(Array(repeating: 400, count: 20)),
            budget: 6_000,
            block: 1_000,
            // D = 2,000, so k = 2 and 2,000 tokens must go.
            dropped: [0, 1, 2, 3, 4]
        ),
        Row(
            when: "one token more takes another block",
            messages: turns(Array(repeating: 400, count: 19) + [401]),
            budget: 6_000,
            block: 1_000,
            dropped: [0, 1, 2, 3, 4, 5, 6, 7]
        ),
        Row(
            when: "a block is at most a quarter of the room, rounded down to a power of two times 250",
            // Room 5,000 beside the newest turn, so the block is 1,000 and not 1,250 or 4,000.
            messages: turns(Array(repeating: 250, count: 24) + [1_000]),
            budget: 6_000,
            block: 4_000,
            dropped: [0, 1, 2, 3]
        ),
        Row(
            when: "a block is a whole quarter of the room where that is a power of two times 250",
            // Room 2,000 beside the newest turn, so the block is 500; D = 1.
            messages: turns(Array(repeating: 100, count: 20) + [1, 1_000]),
            budget: 3_000,
            block: 4_000,
            dropped: [0, 1, 2, 3, 4]
        ),
        Row(
            when: "the least room for a block is 1,000",
            messages: turns(Array(repeating: 100, count: 10) + [1, 2_000]),
            budget: 3_000,
            block: 4_000,
            dropped: [0, 1, 2]
        ),
        Row(
            when: "pins make the room smaller",
            // Room 1,100: the block is 250.
            messages: [.init(.user, tokens: 3_900, isPinned: true)]
                + turns(Array(repeating: 250, count: 8) + [1_000]),
            budget: 6_000,
            block: 4_000,
            dropped: [1, 2, 3, 4]
        ),
        Row(
            when: "in less room than four small blocks the cut is exact",
            messages: turns(100, 100, 100, 5_100),
            budget: 5_350,
            block: 4_000,
            dropped: [0]
        ),
    ]

    @Test("drops", arguments: rows)
    func drops(_ row: Row) {
        let cut = ClipPolicy.cut(
            messages: row.messages,
            overheadTokens: row.overhead,
            budget: row.budget,
            blockTokens: row.block
        )

        let all = row.overhead + row.messages.reduce(0) { $0 + $1.tokens }
        let gone = row.dropped.reduce(0) { $0 + row.messages[$1].tokens }
        #expect(cut == Cut(dropped: row.dropped, before: all, after: all - gone, shortfall: row.shortfall))
    }

    private static func turns(_ tokens: Int...) -> [ClipMessage] { turns(tokens) }

    private static func turns(_ tokens: [Int]) -> [ClipMessage] {
        tokens.map { ClipMessage(.user, tokens: $0) }
    }
}

@Suite("What is always kept is shortened where it must be")
struct ShorteningTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var parts: [Shortening.Part]
        var shortfall: Int
        var steps: [Shortening.Step]?

        var testDescription: String { when }
    }

    static let rows = [
        Row(when: "nothing is missing", parts: [text(900)], shortfall: 0, steps: []),
        Row(
            when: "one text is long enough",
            parts: [text(900)],
            shortfall: 100,
            steps: [.init(part: 0, tokens: 800)]
        ),
        Row(
            when: "tool results go before the user's text",
            parts: [text(5_000), result(900)],
            shortfall: 600,
            steps: [.init(part: 1, tokens: 300)]
        ),
        Row(
            when: "the longest first",
            parts: [result(500), result(900), result(700)],
            shortfall: 700,
            steps: [.init(part: 1, tokens: 256), .init(part: 2, tokens: 644)]
        ),
        Row(
            when: "the user's text last",
            parts: [text(1_000), result(356)],
            shortfall: 200,
            steps: [.init(part: 0, tokens: 900), .init(part: 1, tokens: 256)]
        ),
        Row(
            when: "of equals the first",
            parts: [text(400), text(400)],
            shortfall: 10,
            steps: [.init(part: 0, tokens: 390)]
        ),
        Row(when: "just enough", parts: [text(300)], shortfall: 44, steps: [.init(part: 0, tokens: 256)]),
        Row(when: "not enough", parts: [text(300), result(100)], shortfall: 45, steps: nil),
        Row(when: "no parts", parts: [], shortfall: 1, steps: nil),
    ]

    @Test("shrinks", arguments: rows)
    func shrinks(_ row: Row) {
        #expect(Shortening.steps(for: row.parts, shortfall: row.shortfall) == row.steps)
    }

    private static func text(_ tokens: Int) -> Shortening.Part { .init(tokens: tokens, isToolResult: false) }
    private static func result(_ tokens: Int) -> Shortening.Part { .init(tokens: tokens, isToolResult: true) }
}
