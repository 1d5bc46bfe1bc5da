import Policies
import Testing

@Suite("A glob matches whole texts")
struct GlobTests {
    @Test(
        "matches",
        arguments: [
            ("claude*", "claude-sonnet-4-5"), ("claude*", "claude"), ("*", ""), ("*", "anything"),
            ("**", "x"),
            ("", ""), ("gpt-4o", "gpt-4o"), ("*sonnet*", "claude-sonnet-4-5"), ("a*b*c", "a-b-b-c"),
            ("gemini-?-pro", "gemini-3-pro"), ("?", "é"), ("?", "界"), ("*?", "界"), ("*é", "café"),
            ("a?c*", "a界cd"),
            ("*/deployments/*/chat", "/openai/deployments/x/chat"), ("*ab", "aab"),
        ]
    )
    func matches(_ pattern: String, _ text: String) {
        #expect(Glob(pattern).matches(text))
    }

    @Test(
        "does not match",
        arguments: [
            ("claude*", "anthropic/claude"), ("", "a"), ("gpt-4o", "gpt-4o-mini"), ("gpt-4o", "GPT-4o"),
            ("?", ""),
            ("?", "ab"), ("??", "é"), ("a*b", "ab-"), ("*a?", "a"), ("caf\u{E9}", "cafe\u{301}"),
        ]
    )
    func differs(_ pattern: String, _ text: String) {
        #expect(!Glob(pattern).matches(text))
    }

    @Test("many stars over a text that nearly matches take no more than text times pattern steps")
    func worstCase() {
        let text = String(repeating: "a", count: 10_000)
        #expect(!Glob(String(repeating: "a*", count: 30) + "b").matches(text))
        #expect(Glob(String(repeating: "a*", count: 30) + "a").matches(text))
    }

    @Test("patterns of the same spelling are equal")
    func equality() {
        #expect(Glob("a*") == Glob("a*"))
        #expect(Set([Glob("a*"), Glob("a*"), Glob("a?")]).count == 2)
    }
}
