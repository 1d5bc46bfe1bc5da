import Policies
import Testing

@Suite("LiteLLM's own no is told from a provider's no to the operator's key")
struct TurnsClientAwayTests {
    static let rows: [(status: Int, message: String, type: String, isAway: Bool)] = [
        (401, "Authentication Error, Invalid proxy server token passed", "token_not_found_in_db", true),
        (403, "key not allowed to access model", "key_model_access_denied", true),
        (422, "Budget has been exceeded! Current cost: 2, Max budget: 1", "budget_exceeded", true),
        (
            401, "litellm.AuthenticationError: AnthropicException - invalid x-api-key",
            "authentication_error", false
        ),
        (400, "litellm.BadRequestError: GeminiException - API key not valid", "", false),
        (429, "litellm.RateLimitError: AnthropicException - slow down", "throttling_error", false),
        (500, "oh", "", false),
    ]

    @Test("by status, type and whose words they are", arguments: rows)
    func tells(status: Int, message: String, type: String, isAway: Bool) {
        let answer = Answer(
            status: status,
            message: message,
            type: type,
            code: "",
            requestHadCredential: true
        )
        var outside = answer
        outside.hadOwnCredential = true

        #expect(FailureTable.turnsClientAway(answer) == isAway)
        #expect(!FailureTable.turnsClientAway(outside))
    }
}
