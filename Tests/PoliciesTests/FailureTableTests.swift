import Foundation
import Policies
import TestSupport
import Testing

@Suite("Every error has a class, whatever LiteLLM makes of it")
struct FailureTableTests {
    /// Which class the captures are, by name; the first pattern that matches counts.
    static let expected: [(captures: Glob, failure: FailureClass)] = [
        (Glob("litellm-limit-*"), .callerLimited),
        (Glob("litellm-models-over-budget"), .callerLimited),
        (Glob("litellm-deployment-provider-budget-*"), .quotaExhausted),
        (Glob("litellm-deployment-*"), .overloaded),
        (Glob("litellm-chained-rpm-*"), .rateLimited),
        (Glob("litellm-chained-budget-*"), .quotaExhausted),
        (Glob("litellm-chained-nobody-*"), .auth),
        (Glob("litellm-auth-*"), .auth),
        (Glob("litellm-models-*"), .auth),
        (Glob("litellm-no-database-*"), .upstreamFault),
        (Glob("*-429-after-401"), .overloaded),
        (Glob("*-quota-*"), .quotaExhausted),
        (Glob("owui-chat-429"), .quotaExhausted),
        (Glob("*-credit-*"), .quotaExhausted),
        (Glob("*-429*"), .rateLimited),
        (Glob("litellm-fallback-disable"), .rateLimited),
        (Glob("litellm-fallback-fb-429-*"), .rateLimited),
        (Glob("litellm-oai-mid0-stream"), .rateLimited),
        (Glob("litellm-anth-mid0-stream"), .overloaded),
        (Glob("*-529*"), .overloaded),
        (Glob("*-503-*"), .overloaded),
        (Glob("*-413-*"), .tooLarge),
        (Glob("*-ctx-*"), .contextExceeded),
        (Glob("*-filter-*"), .refused),
        (Glob("*-loc-*"), .regionBlocked),
        (Glob("*-sleep-*"), .timeout),
        (Glob("litellm-timeout-header"), .timeout),
        (Glob("*-drop-*"), .unreachable),
        (Glob("*-401-*"), .auth),
        (Glob("litellm-bad-key"), .auth),
        (Glob("litellm-no-key"), .auth),
        (Glob("litellm-*-500-*"), .upstreamFault),
        (Glob("ep-key-generate-nodb"), .upstreamFault),
        (Glob("tools-orphan-toolresult-*"), .callerFault),
        (Glob("litellm-*-400-*"), .callerFault),
        (Glob("litellm-*-404-*"), .callerFault),
        (Glob("litellm-image*"), .callerFault),
        (Glob("litellm-unknown-model"), .callerFault),
        (Glob("litellm-bad-json"), .callerFault),
        (Glob("ep-images-*"), .callerFault),
    ]

    static let captures = try? Fixtures.names(in: "captures")
        .filter { $0.hasSuffix(".response.http") }
        .map { String($0.dropLast(".response.http".count)) }

    @Test("every captured failure is of the class that its scenario played")
    func captures() throws {
        var failures = 0
        for name in try #require(Self.captures) {
            let captured = try CapturedAnswer(named: name)
            let failure = try FailureTable.classify(captured.answer(hadCredential: Self.hadCredential(name)))

            guard captured.status >= 400 else {
                #expect(failure == nil, "\(name)")
                continue
            }
            failures += 1
            let expected = Self.expected.first { $0.captures.matches(name) }
            #expect(failure == expected?.failure, "\(name)")
        }
        #expect(failures > 150)
    }

    private static func hadCredential(_ name: String) throws -> Bool {
        let head = try Fixtures.bytes("captures/\(name).request.http").prefix(2_000)
        return ["authorization:", "x-api-key:", "x-goog-api-key:"]
            .contains { String(decoding: head, as: UTF8.self).lowercased().contains($0) }
    }

    @Test(
        "an error in the middle of a stream is classed like an answer",
        arguments: [
            ("litellm-anth-mid-stream", .overloaded), ("litellm-fallback-fb-mid-stream", .overloaded),
            ("litellm-gem-mid-stream", .overloaded), ("litellm-anth-midrl-stream", .rateLimited),
            ("litellm-oai-mid-stream", .upstreamFault), ("litellm-oai-cut-stream", .upstreamFault),
            ("ep-messages-anth-mid-stream", .overloaded), ("up-anthropic-stream-error-mid", .overloaded),
        ] as [(String, FailureClass)]
    )
    func streams(_ name: String, _ failure: FailureClass) throws {
        let event = try #require(try CapturedAnswer(named: name).errorEvent)

        #expect(FailureTable.classify(event) == failure)
    }

    @Test("the type alone tells the status of Anthropic's own events")
    func anthropicEvents() {
        let limited = Answer(eventMessage: "Slow down", type: "rate_limit_error", code: "")
        let broken = Answer(eventMessage: "Something", type: "", code: "")

        #expect(limited.status == 429)
        #expect(FailureTable.classify(limited) == .rateLimited)
        #expect(FailureTable.classify(broken) == .upstreamFault)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var answer: Answer
        var failure: FailureClass?

        init(
            _ when: String,
            _ status: Int,
            _ message: String,
            type: String = "",
            code: String = "",
            _ failure: FailureClass?
        ) {
            self.when = when
            answer = Answer(status: status, message: message, type: type, code: code)
            self.failure = failure
        }

        var testDescription: String { when }
    }

    static let rows = [
        Row("an answer", 200, "Overloaded", nil),
        Row("a redirect", 307, "", nil),
        Row(
            "a key's budget, by its type",
            429,
            "Whatever it says",
            type: "budget_exceeded",
            .callerLimited
        ),
        Row(
            "a key's budget",
            400,
            "Budget has been exceeded! Key=sk-1 Current cost: 2, Max budget: 1",
            .callerLimited
        ),
        Row("a user's budget", 400, "ExceededBudget: User=u over budget. Spend=2, Budget=1", .callerLimited),
        Row(
            "a key's requests a minute",
            429,
            "Rate limit exceeded for api_key: 88dc. Limit type: requests. Current limit: 1, Remaining: 0. "
                + "Limit resets at: 2026-11-20 23:40:43 UTC",
            .callerLimited
        ),
        Row(
            "a team's tokens a minute, as an exception's text",
            429,
            "litellm.RateLimitError: Rate limit exceeded for team: t1. Limit type: tokens. Current limit: 1",
            .callerLimited
        ),
        Row(
            "requests at the same time",
            429,
            "Max parallel request limit reached Hit limit for api_key: x",
            .callerLimited
        ),
        Row(
            "the older limiter",
            429,
            "LiteLLM Rate Limit Handler for rate limit type = key. Crossed TPM / RPM / Max Parallel Request Limit.",
            .callerLimited
        ),
        Row(
            "a priority's share",
            429,
            "{'error': 'Priority-based rate limit exceeded. Model: m'}",
            .callerLimited
        ),
        Row(
            "LiteLLM's words, but from a provider",
            429,
            "litellm.RateLimitError: RateLimitError: OpenAIException - Max parallel request limit for this tier",
            .rateLimited
        ),
        Row(
            "LiteLLM's words, but from a provider with a short name",
            429,
            "litellm.RateLimitError: XAIException - Max parallel request limit for this tier",
            .rateLimited
        ),
        Row(
            "LiteLLM's words, but from a LiteLLM further on",
            429,
            "litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit exceeded for team: t. "
                + "Limit type: requests.",
            .rateLimited
        ),
        Row(
            "a budget at a LiteLLM further on, by its type",
            422,
            "litellm.BadRequestError: OpenAIException - Whatever it says",
            type: "budget_exceeded",
            .quotaExhausted
        ),
        Row(
            "a budget at a LiteLLM further on, by its words",
            400,
            "litellm.BadRequestError: OpenAIException - Budget has been exceeded! Current cost: 2, Max budget: 1",
            .quotaExhausted
        ),
        Row(
            "a key's budget, whose alias sounds like a provider",
            422,
            "Budget has been exceeded! Key=litellm.Exception - x Current cost: 2, Max budget: 1",
            type: "budget_exceeded",
            .callerLimited
        ),
        Row(
            "a key's budget in older releases",
            401,
            "Authentication Error, ExceededTokenBudget: Current spend for token: 7.2e-05; Max Budget for Token: 2e-07",
            .callerLimited
        ),
        Row(
            "a key's share of a model",
            429,
            "{'error': 'Key=88dc over available TPM=0. Model TPM=5, Active keys=2'}",
            .callerLimited
        ),
        Row(
            "a session's budget",
            429,
            "Session budget exceeded for session s. Current spend: $0.2000, max_budget_per_session: $0.10.",
            .callerLimited
        ),
        Row(
            "a session's requests",
            429,
            "Max iterations exceeded for session s. Current count: 3, max_iterations: 2.",
            .callerLimited
        ),
        Row(
            "a deployment's own limit, by usage",
            429,
            "litellm.RateLimitError: Deployment over defined rpm limit=1. current usage=1",
            .overloaded
        ),
        Row(
            "a deployment's own limit",
            429,
            "Deployment over user-defined ratelimit. tpm limit=1",
            .overloaded
        ),
        Row(
            "some deployments in cooldown",
            429,
            "No deployments available for selected model, Try again in 5 seconds.",
            .overloaded
        ),
        Row(
            "an operator's budget",
            400,
            "No deployments available - crossed budget: openai",
            .quotaExhausted
        ),
        Row("OpenAI's quota, by its code", 429, "…", code: "insufficient_quota", .quotaExhausted),
        Row(
            "Google's quota without a delay",
            429,
            "You exceeded your current quota, please check your plan",
            .quotaExhausted
        ),
        Row(
            "Google's quota with a sentence",
            429,
            "You exceeded your current quota. Please retry in 21.5s.",
            .rateLimited
        ),
        Row(
            "Anthropic's monthly limit",
            400,
            "You have reached your specified API usage limits.",
            .quotaExhausted
        ),
        Row("no money", 402, "Insufficient Balance", .quotaExhausted),
        Row("OpenAI's region", 403, "…", code: "unsupported_country_region_territory", .regionBlocked),
        Row("OpenAI's window, by its code", 400, "…", code: "context_length_exceeded", .contextExceeded),
        Row(
            "Anthropic's window with the answer's share",
            400,
            "input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000",
            .contextExceeded
        ),
        Row("a proxy's body limit", 413, "<html>Request Entity Too Large</html>", .tooLarge),
        Row("a filter on the answer", 400, "Output blocked by content filtering policy", .refused),
        Row("a busy provider, as 529", 529, "", .overloaded),
        Row("a busy provider, as 503", 503, "This model is currently experiencing high demand.", .overloaded),
        Row("an unavailable provider", 503, "The service is currently unavailable.", .upstreamFault),
        Row(
            "LiteLLM's timeout, as 500",
            500,
            "litellm.Timeout: AnthropicException - litellm.Timeout: Connection timed out",
            .timeout
        ),
        Row("a gateway's timeout", 504, "", .timeout),
        Row(
            "no connection",
            500,
            "litellm.InternalServerError: OpenAIException - Connection error.",
            .unreachable
        ),
        Row("no key", 401, "", .auth),
        Row("not allowed", 403, "key not allowed to access model", type: "key_model_access_denied", .auth),
        Row("a limit without words", 429, "", .rateLimited),
        Row("a conflict", 409, "", .callerFault),
        Row("a bad gateway", 502, "", .upstreamFault),
        Row("a status that is none", 999, "", .upstreamFault),
        Row("a crash in answer to a key", 500, "Internal Server Error", .upstreamFault),
        Row(
            "a busy word in a request's fault",
            400,
            "litellm.BadRequestError: 'overloaded' is no role",
            .callerFault
        ),
    ]

    @Test("the first row that matches decides", arguments: rows)
    func classify(_ row: Row) {
        #expect(FailureTable.classify(row.answer) == row.failure)
    }

    @Test(
        "a limit on a credential of our own is a provider's, whatever its words",
        arguments: [
            ("litellm-limit-key-rpm-json", .rateLimited), ("litellm-limit-key-budget-json", .quotaExhausted),
            ("litellm-limit-team-budget-json", .quotaExhausted),
            ("litellm-limit-customer-budget-json", .quotaExhausted),
            ("litellm-limit-legacy-key-rpm-json", .rateLimited),
            ("litellm-deployment-rpm-json", .overloaded), ("litellm-auth-unknown-key", .auth),
        ] as [(String, FailureClass)]
    )
    func ownCredential(_ name: String, _ failure: FailureClass) throws {
        var answer = try CapturedAnswer(named: name).answer(hadCredential: true)
        answer.hadOwnCredential = true
        let event = Answer(
            eventMessage: answer.message,
            type: answer.type,
            code: answer.code,
            hadOwnCredential: true
        )

        #expect(FailureTable.classify(answer) == failure)
        #expect(FailureTable.classify(event) == failure)
    }

    @Test("every class but none is reached by some row or capture")
    func everyClass() {
        let reached = Set(Self.rows.compactMap(\.failure) + Self.expected.map(\.failure))

        #expect(reached == Set(FailureClass.allCases))
    }

    @Test("the words are those of the configuration")
    func words() {
        #expect(
            FailureClass.allCases.map(\.rawValue).sorted() == [
                "auth", "caller_fault", "caller_limited", "context_exceeded", "overloaded", "quota_exhausted",
                "rate_limited", "refused", "region_blocked", "timeout", "too_large", "unreachable",
                "upstream_fault",
            ]
        )
    }
}
