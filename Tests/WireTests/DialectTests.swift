import Testing
import Wire

@Suite("The path tells the dialect")
struct DialectTests {
    static let rows: [(path: String, dialect: Dialect)] = [
        ("/v1/chat/completions", .openAIChat),
        ("/chat/completions", .openAIChat),
        ("/v1/chat/completions?api-version=1", .openAIChat),
        ("/openai/deployments/gpt-4o/chat/completions?api-version=2024-06-01", .openAIChat),
        ("/openai/deployments/org/model/chat/completions", .openAIChat),
        ("/engines/gpt-4o/chat/completions", .openAIChat),
        ("/engines/davinci/completions", .completions),
        ("/openai/deployments/x/embeddings", .embeddings),
        ("/openai/deployments/x/images/generations", .images),
        ("/v1/completions", .completions),
        ("/completions", .completions),
        ("/v1/embeddings", .embeddings),
        ("/v1/images/generations", .images),
        ("/images/edits", .images),
        ("/v1/messages", .anthropicMessages),
        ("/v1/messages/count_tokens", .other),
        ("/v1/responses", .responses),
        ("/v1/responses/resp_1", .other),
        ("/v1beta/models/gemini-3-pro:generateContent", .gemini),
        ("/models/gemini-3-pro:streamGenerateContent?alt=sse", .gemini),
        ("/v1beta/models/gemini-3-pro:countTokens", .other),
        ("/v1/chat/completions/", .other),
        ("//v1/chat/completions", .other),
        ("/V1/chat/completions", .other),
        ("/v1/chat/completions%3F", .other),
        ("/proxy/v1/chat/completions", .other),
        ("/openai/deployments/completions", .other),
        ("/engines/completions", .other),
        // A model called "chat".
        ("/engines/chat/completions", .completions),
        ("/v1/models", .other),
        ("/?x=/v1/chat/completions", .other),
        ("/", .other),
        ("", .other),
    ]

    @Test("by table", arguments: rows)
    func tells(path: String, dialect: Dialect) {
        #expect(Dialect.of(path: path) == dialect)
    }
}
