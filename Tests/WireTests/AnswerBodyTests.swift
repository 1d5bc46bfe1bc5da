import Testing
import Wire

@Suite("What an answer in one piece says about itself")
struct AnswerBodyTests {
    static let errors: [(body: String, error: ErrorBody?)] = [
        (
            #"{"error":{"message":"m","type":"t","param":null,"code":"429"}}"#,
            .init(message: "m", type: "t", code: "429")
        ),
        (#"{"error":"text"}"#, .init(message: "text")),
        (
            #"{"type":"error","error":{"type":"overloaded_error","message":"o"}}"#,
            .init(message: "o", type: "overloaded_error")
        ),
        (
            #"{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[]}}"#,
            .init(message: "m", code: "429", status: "RESOURCE_EXHAUSTED", details: "[]")
        ),
        (
            #"[{"error":{"code":429,"message":"m","details":[{"retryDelay":"21s"}]}}]"#,
            .init(message: "m", code: "429", details: #"[{"retryDelay":"21s"}]"#)
        ),
        (#" [ {"error":{"code":400,"message":"m"}} ] "#, .init(message: "m", code: "400")),
        (#"{"detail":"Not Found"}"#, .init(message: "Not Found")),
        (#"{"detail":[{"msg":"x"}]}"#, .init(message: #"[{"msg":"x"}]"#)),
        (
            #"{"code":"completion_request_error","message":"m","status":400}"#,
            .init(message: "m", code: "completion_request_error", status: "400")
        ),
        (#"{"error":{"message":{"a":1},"type":null}}"#, .init(message: #"{"a":1}"#)),
        (#"{"error":{"message":"\u00e9\"\ud83d\ude00"}}"#, .init(message: "é\"😀")),
        (#"{"error":{}}"#, .init()),
        (#"{"error":null}"#, nil),
        (#"{"error":false,"total_tokens":3}"#, nil),
        (#"{"choices":[]}"#, nil),
        (#"{"error":{"message":"m"}"#, nil),
        ("Internal Server Error", nil),
        ("[]", nil),
        ("", nil),
    ]

    @Test("errors in every shape", arguments: errors)
    func readsErrors(body: String, error: ErrorBody?) {
        #expect(ErrorBody.reading(body) == error)
    }

    @Test("an endless message is cut at a character, at 4 KiB")
    func boundsMessages() {
        let body =
            #"{"error":{"message":"x\#(String(repeating: "é", count: 5000))","type":"\#(String(repeating: "t", count: 999))"}}"#
        let error = ErrorBody.reading(body)

        #expect(error?.message == "x" + String(repeating: "é", count: 2047))
        #expect(error?.type.utf8.count == 256)
    }

    static let usages: [(body: String, usage: Usage?)] = [
        (
            #"{"usage":{"prompt_tokens":12,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":8},"cost":6e-05}}"#,
            Usage(promptTokens: 12, completionTokens: 4, cachedTokens: 8, cost: 0.00006)
        ),
        (
            #"{"usage":{"prompt_tokens":12,"prompt_tokens_details":null,"cache_read_input_tokens":3}}"#,
            Usage(promptTokens: 12, completionTokens: 0, cachedTokens: 3)
        ),
        (
            #"{"usage":{"input_tokens":2,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"output_tokens":7}}"#,
            Usage(promptTokens: 10, completionTokens: 7, cachedTokens: 5)
        ),
        (
            #"{"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":7}}"#,
            Usage(promptTokens: 9, completionTokens: 7, cachedTokens: 4)
        ),
        (
            #"{"usageMetadata":{"promptTokenCount":12,"candidatesTokenCount":5,"thoughtsTokenCount":63,"cachedContentTokenCount":2}}"#,
            Usage(promptTokens: 12, completionTokens: 68, cachedTokens: 2)
        ),
        (
            #"{"choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":1}","usage":{"prompt_tokens":2}}}]}"#,
            nil
        ),
        (#"{"usage":{"prompt_tokens":-5,"completion_tokens":1e300,"total_tokens":3}}"#, nil),
        (#"{"usage":{"prompt_tokens":"12","completion_tokens":1.5}}"#, nil),
        (#"{"usage":null}"#, nil),
        (#"{"usage":{"prompt_tokens":12}"#, nil),
        ("", nil),
    ]

    @Test("usage in every dialect", arguments: usages)
    func readsUsage(body: String, usage: Usage?) {
        #expect(Array(body.utf8).withUnsafeBytes { Usage.reading(answer: $0) } == usage)
    }
}
