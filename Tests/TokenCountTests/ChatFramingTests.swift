import Testing
import TokenCount

@Suite("A chat costs more than its texts")
struct ChatFramingTests {
    static let rows: [(messages: Int, named: Int, hasTools: Bool, hasSystem: Bool, tokens: Int)] = [
        (1, 0, false, false, 6),
        (3, 1, false, true, 13),
        (1, 0, true, false, 15),
        (2, 0, true, true, 14),
    ]

    @Test("framing of messages, names and tools", arguments: rows)
    func framing(messages: Int, named: Int, hasTools: Bool, hasSystem: Bool, tokens: Int) {
        let framing = ChatFraming.tokens(
            messages: messages,
            named: named,
            hasTools: hasTools,
            hasSystemMessage: hasSystem
        )

        #expect(framing == tokens)
    }
}
