import Foundation
import Policies
import Testing

@Suite("A stated delay is read wherever it stands")
struct RetryDelayTests {
    /// 2026-01-01T00:00:00Z.
    static let now = 1_767_225_600.0

    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var headers: [String: String] = [:]
        var message = ""
        var delay: Duration?

        var testDescription: String { when }
    }

    static let rows = [
        Row(when: "nothing", delay: nil),
        Row(when: "seconds", headers: ["retry-after": "7"], delay: .seconds(7)),
        Row(when: "seconds with a fraction", headers: ["retry-after": " 1.25 "], delay: .milliseconds(1250)),
        Row(when: "at once", headers: ["retry-after": "0"], delay: .zero),
        Row(when: "a date", headers: ["retry-after": "Thu, 01 Jan 2026 00:01:30 GMT"], delay: .seconds(90)),
        Row(
            when: "a date in the past",
            headers: ["retry-after": "Wed, 31 Dec 2025 23:59:59 GMT"],
            delay: nil
        ),
        Row(when: "milliseconds", headers: ["retry-after-ms": "859"], delay: .milliseconds(859)),
        Row(
            when: "a provider's header behind LiteLLM",
            headers: ["llm_provider-retry-after": "11"],
            delay: .seconds(11)
        ),
        Row(
            when: "the longest",
            headers: ["retry-after": "5", "llm_provider-retry-after": "11"],
            delay: .seconds(11)
        ),
        Row(when: "a negative number", headers: ["retry-after": "-3"], delay: nil),
        Row(when: "words", headers: ["retry-after": "soon"], delay: nil),
        Row(when: "too many digits", headers: ["retry-after": "1000000000000000000000"], delay: nil),
        Row(when: "an age", headers: ["retry-after": "99999999999"], delay: .seconds(31_536_000)),
        Row(
            when: "a limit that is used up",
            headers: [
                "llm_provider-anthropic-ratelimit-input-tokens-remaining": "0",
                "llm_provider-anthropic-ratelimit-input-tokens-reset": "2026-01-01T00:00:11Z",
            ],
            delay: .seconds(11)
        ),
        Row(
            when: "a limit that is not used up",
            headers: [
                "anthropic-ratelimit-requests-remaining": "49",
                "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:11Z",
            ],
            delay: nil
        ),
        Row(
            when: "a limit that does not say what remains",
            headers: ["anthropic-ratelimit-requests-reset": "2026-01-01T00:00:11Z"],
            delay: nil
        ),
        Row(
            when: "a reset with an offset and a fraction",
            headers: [
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": "2026-01-01T01:00:02.5+01:00",
            ],
            delay: .milliseconds(2500)
        ),
        Row(
            when: "a reset that is no instant",
            headers: [
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": "2026-13-01T00:00:00Z",
            ],
            delay: nil
        ),
        Row(when: "Google's delay", message: #"{"retryDelay": "21s"}"#, delay: .seconds(21)),
        Row(
            when: "Google's delay, escaped",
            message: #"b'{\"retryDelay\": \"3.5s\"}'"#,
            delay: .milliseconds(3500)
        ),
        Row(
            when: "Google's delay, escaped twice",
            message: #"{\\\"retryDelay\\\":\\\"3s\\\"}"#,
            delay: .seconds(3)
        ),
        Row(
            when: "Google's delay and its sentence",
            message: #"Please retry in 21.5s. {"retryDelay": "21s"}"#,
            delay: .seconds(21)
        ),
        Row(when: "Google's sentence", message: "Please retry in 21.5s.", delay: .milliseconds(21_500)),
        Row(when: "OpenAI's sentence", message: "Please try again in 6m0s.", delay: .seconds(360)),
        Row(
            when: "OpenAI's sentence, shorter",
            message: "Please try again in 859ms.",
            delay: .milliseconds(859)
        ),
        Row(
            when: "LiteLLM's sentence",
            message: "Try again in 5 seconds. All deployments …",
            delay: .seconds(5)
        ),
        Row(when: "a delay without a unit", message: #"{"retryDelay": "21"}"#, delay: nil),
        Row(when: "a message that ends too early", message: "retryDelay", delay: nil),
        Row(
            when: "header and message",
            headers: ["retry-after": "7"],
            message: #""retryDelay": "21s""#,
            delay: .seconds(21)
        ),
    ]

    @Test("the longest that is understood", arguments: rows)
    func stated(_ row: Row) {
        let delay = RetryDelay.stated(headers: { row.headers[$0] }, message: row.message, now: Self.now)

        #expect(delay == row.delay)
    }

    @Test("every header of the rows is in the list that callers extract")
    func names() {
        let asked = Set(Self.rows.flatMap(\.headers.keys))

        #expect(asked.isSubset(of: RetryDelay.headerNames))
        #expect(Set(RetryDelay.headerNames).count == RetryDelay.headerNames.count)
    }

    @Test(
        "captured answers",
        arguments: [
            ("litellm-anth-429-json", .seconds(11)), ("litellm-oai-429-json", .seconds(7)),
            ("litellm-gem-429-json", .seconds(21)), ("litellm-gem-429-stream", .seconds(21)),
            ("litellm-cooldown-429-after-401", .seconds(5)), ("litellm-oai-503-json", .seconds(3)),
            ("up-anthropic-429", .seconds(11)), ("ep-messages-anth-429", nil), ("litellm-anth-ok-json", nil),
            ("litellm-deployment-rpm-json", .seconds(60)),
            ("litellm-deployment-usage-rpm-json", .seconds(60)),
            ("litellm-deployment-capacity-json", .seconds(60)), ("litellm-chained-rpm-json", .seconds(60)),
            ("litellm-limit-key-rpm-json", .seconds(60)), ("litellm-limit-key-budget-json", nil),
            ("litellm-deployment-parallel-json", nil),
        ] as [(String, Duration?)]
    )
    func captured(_ name: String, _ expected: Duration?) throws {
        let captured = try CapturedAnswer(named: name)
        let message = captured.answer(hadCredential: true).message

        let delay = RetryDelay.stated(headers: { captured.headers[$0] }, message: message, now: Self.now)

        #expect(delay == expected)
    }

    @Test(
        "dates agree with Foundation's calendar",
        arguments: [0, 68_169_600, 951_782_400, 1_709_164_800, 4_107_542_399]
    )
    func calendar(epochSeconds: Int) {
        let date = Date(timeIntervalSince1970: Double(epochSeconds))
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let text = formatter.string(from: date)

        let delay = RetryDelay.stated(
            headers: { $0 == "retry-after" ? text : nil },
            message: "",
            now: Double(epochSeconds) - 100
        )

        #expect(delay == .seconds(100), "\(text)")
    }
}
