/// The rows of the table, each with where it was seen.
///
/// "Capture" names files of `Tests/Fixtures/captures`; "LiteLLM" is the source of version 1.106.2.
extension FailureTable {
    static let rows: [Row] = callersLimits + verdictsOnTheRequest + accounts + capacity + statuses

    /// LiteLLM's own limits on a key, user, team, tag or session.
    ///
    /// They stand first, since they use the words and the status of a provider's rate limit. A provider may be
    /// another LiteLLM with a key of the operator's (capture litellm-chained-*): its limits are a provider's, so
    /// here only own words count.
    private static let callersLimits: [Row] = [
        // Capture litellm-limit-*-budget-*: 422, and another status where the operator set one; budgets of key,
        // team, member, user, customer, tag and proxy.
        Row(400...429, [.ownKind("budget_exceeded"), .ownWords("budget has been exceeded")], .callerLimited),
        // Capture litellm-limit-key-budget-window-json; in older releases also "ExceededTokenBudget: …".
        Row(400...429, [.ownWords("exceededbudget"), .ownWords("exceededtokenbudget")], .callerLimited),
        // Capture litellm-limit-*-rpm-*, -tpm-*, -parallel-*.
        Row(429...429, [.ownWordsAnd("rate limit exceeded for ", "limit type: ")], .callerLimited),
        // Capture litellm-limit-legacy-*: the older limiter; its form in some releases is "…for api_key = …".
        Row(
            429...429,
            [
                .ownWords("max parallel request limit"), .ownWords("litellm rate limit handler"),
                .ownWords("crossed tpm / rpm"), .ownWords("rate limit exceeded for api_key"),
            ],
            .callerLimited
        ),
        // Capture litellm-limit-priority-json, litellm-limit-key-share-json; the others are in LiteLLM's
        // proxy/hooks/max_budget_per_session_limiter and max_iterations_limiter.
        Row(
            429...429,
            [
                .ownWords("priority-based rate limit exceeded"),
                .ownWordsAnd("key=", " over available "),
                .ownWords("session budget exceeded"), .ownWords("max iterations exceeded"),
            ],
            .callerLimited
        ),
    ]

    /// What the provider says about this request, wherever it would be sent from.
    private static let verdictsOnTheRequest: [Row] = [
        // Capture litellm-gem-loc-*; OpenAI's 403 is documented under "Error codes".
        Row(
            400...403,
            [
                .text("user location is not supported"), .kind("unsupported_country_region_territory"),
                .text("unsupported_country_region_territory"),
                .text("country, region, or territory not supported"),
            ],
            .regionBlocked
        ),
        // Capture litellm-oai-filter-*.
        // LiteLLM: exception_mapping_utils, what it takes for a content policy violation of a provider.
        Row(
            400...500,
            [
                .text("contentpolicyviolationerror"), .text("content_policy_violation"),
                .kind("content_filter"),
                .text("violating our usage policy"), .text("content filtering policy"),
                .text("result of our safety system"), .text("responsibleaipolicyviolation"),
            ],
            .refused
        ),
        // Capture litellm-*-ctx-*; on a stream LiteLLM leaves out its marker, so the providers' texts are
        // here too. LiteLLM: exception_mapping_utils.is_error_str_context_window_exceeded.
        Row(
            400...500,
            [
                .text("contextwindowexceedederror"), .kind("context_length_exceeded"),
                .text("maximum context length is"), .text("prompt is too long"),
                .text("exceeds the maximum number of tokens allowed"), .text("exceed context limit"),
                .text("input tokens exceed the configured limit"),
                .text("exceeds the available context size"),
                .text("longer than the model's context length"), .text("maximum context limit"),
                .texts("`inputs` tokens + `max_new_tokens`", "must be"),
            ],
            .contextExceeded
        ),
        // Capture litellm-oai-413-* (as 429) and litellm-anth-413-* (as 400). Google's text is that of its
        // 400.
        Row(
            400...429,
            [
                .kind("request_too_large"), .text("request_too_large"), .text("request too large"),
                .text("request payload size exceeds"),
            ],
            .tooLarge
        ),
        Row(413...413, [], .tooLarge),
        // Capture tools-orphan-toolresult-gemini: LiteLLM fails before it calls the provider.
        Row(500...500, [.text("missing corresponding tool call")], .callerFault),
    ]

    /// Whose account, and what is left in it.
    private static let accounts: [Row] = [
        // Capture litellm-gem-429-*, ep-gemini-native-429: Google speaks of quota and billing even for a
        // limit per minute, but then says when to come back.
        Row(
            429...429,
            [
                .texts("exceeded your current quota", "retrydelay"),
                .texts("exceeded your current quota", "retry in "),
            ],
            .rateLimited
        ),
        // Capture litellm-oai-quota-*, owui-chat-429.
        Row(
            400...429,
            [
                .kind("insufficient_quota"), .text("insufficient_quota"), .kind("billing_hard_limit_reached"),
                .text("exceeded your current quota"),
            ],
            .quotaExhausted
        ),
        // Capture litellm-anth-credit-*; "reached your specified API usage limits" is the other text of
        // Anthropic.
        Row(
            400...429,
            [
                .text("credit balance is too low"), .text("reached your specified api usage limits"),
                .kind("billing_error"), .text("billing_error"),
            ],
            .quotaExhausted
        ),
        // DeepSeek and OpenRouter: "Insufficient Balance", "Insufficient credits".
        Row(402...402, [], .quotaExhausted),
        // Capture litellm-deployment-provider-budget-json: a budget of the operator on a provider.
        Row(400...429, [.text("no deployments available - crossed budget")], .quotaExhausted),
        // Capture litellm-chained-budget-json: the budget of our operator's key at a LiteLLM further on.
        Row(
            400...429,
            [.kind("budget_exceeded"), .texts("budget has been exceeded!", "max budget")],
            .quotaExhausted
        ),
        // Capture litellm-gem-401-stream, litellm-bad-key: LiteLLM answers 400. The kinds are of LiteLLM's
        // proxy/_types.ProxyErrorTypes; captures litellm-auth-* have them under 401 and 403.
        Row(
            400...499,
            [
                .text("api key not valid"), .kind("no_db_connection"), .kind("expired_key"),
                .kind("token_not_found_in_db"), .kind("auth_error"),
            ],
            .auth
        ),
        // Capture litellm-no-key: without a database a missing key is a crash, and not one of the provider.
        Row(500...500, [.anonymousCrash], .auth),
    ]

    /// Who is busy, and who could not be reached.
    private static let capacity: [Row] = [
        // Capture litellm-cooldown-429-after-401; LiteLLM: types/router.RouterRateLimitError.
        Row(
            429...429,
            [
                .kind("all_deployments_in_cooldown"),
                .ownWords("no deployments available for selected model"),
                .text("deployment has all max_parallel_requests slots in use"),
            ],
            .overloaded
        ),
        // Capture litellm-deployment-*: what the operator allows a deployment or a model, whoever asks; the
        // older words are in LiteLLM's router_strategy/lowest_tpm_rpm_v2.
        Row(
            429...429,
            [
                .ownWords("model rate limit exceeded"), .ownWords("model capacity reached for "),
                .ownWords("deployment over defined "), .ownWords("deployment over user-defined ratelimit"),
            ],
            .overloaded
        ),
        // Capture litellm-anth-529-* (as 500), -anth-mid-stream, -gem-503-*, -oai-503-*, up-anthropic-529.
        Row(429...599, [.kind("overloaded_error"), .text("overloaded")], .overloaded),
        // Google's 503 in 2026: "This model is currently experiencing high demand."
        Row(500...599, [.text("experiencing high demand")], .overloaded),
        Row(529...529, [], .overloaded),
        // Capture litellm-anth-midrl-stream: a rate limit in the middle of a stream arrives as 500.
        Row(
            500...599,
            [.kind("rate_limit_error"), .text("rate limit"), .text("rate_limit_error")],
            .rateLimited
        ),
        // Capture litellm-*-sleep-*, litellm-timeout-header.
        Row(408...408, [], .timeout),
        Row(500...599, [.ownWords("litellm.timeout:"), .kind("timeout_error")], .timeout),
        // RFC 9110, section 15.6.5; 522 to 524 are Cloudflare's for an origin that is silent or cannot be
        // reached.
        Row(504...504, [], .timeout),
        Row(522...522, [], .timeout),
        Row(523...523, [], .unreachable),
        Row(524...524, [], .timeout),
        // Capture litellm-oai-drop-*; the other text is that of the HTTP client under LiteLLM.
        Row(500...503, [.text("connection error"), .text("cannot connect to host")], .unreachable),
    ]

    /// What remains is told by the status alone.
    private static let statuses: [Row] = [
        Row(401...401, [], .auth),
        Row(403...403, [], .auth),
        Row(429...429, [], .rateLimited),
        // Capture litellm-unknown-model (400), litellm-*-404-*, litellm-bad-json.
        Row(400...499, [], .callerFault),
        // Capture litellm-*-500-*; a status above 599 is no HTTP, so it is the upstream's fault too.
        Row(500...Int.max, [], .upstreamFault),
    ]
}
