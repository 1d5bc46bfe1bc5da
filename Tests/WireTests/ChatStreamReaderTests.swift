import Testing
import Wire

@Suite("A streamed answer is watched as it goes by")
struct ChatStreamReaderTests {
    /// What one event alone leads to.
    static let events: [(dialect: Dialect, event: String, summary: String)] = [
        (.openAIChat, "[DONE]", "done deltas=0"),
        (.openAIChat, #"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#, "deltas=0"),
        (
            .openAIChat, #"{"choices":[{"delta":{"content":"a"},"finish_reason":null}],"usage":null}"#,
            "deltas=1"
        ),
        (.openAIChat, #"{"choices":[{"delta":{"content":null,"reasoning_content":"a"}}]}"#, "deltas=1"),
        (.openAIChat, #"{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}"#, "deltas=1"),
        (.openAIChat, #"{"choices":[{"delta":{"images":[{}]}},{"delta":{"content":"b"}}]}"#, "deltas=1"),
        (.openAIChat, #"{"choices":[{"delta":{"provider_specific_fields":{"a":[1]}}}]}"#, "deltas=0"),
        (.openAIChat, #"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, "finish deltas=0"),
        (.openAIChat, #"{"choices":[{"delta":{},"finish_reason":""}]}"#, "deltas=0"),
        (.openAIChat, #"{"choices":[{"delta":{"content":"\"finish_reason\":\"stop\""}}]}"#, "deltas=1"),
        (
            .openAIChat, #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
            "deltas=0 usage=3+2 cached - cost -"
        ),
        (.openAIChat, #"{"error":{"message":"m","type":"t","code":"500"}}"#, "deltas=0 error=t: m"),
        (.openAIChat, #"{"error":null,"choices":[{"delta":{"content":"a"}}]}"#, "deltas=1"),
        (.openAIChat, #"{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]"#, "deltas=0"),
        (.openAIChat, "not JSON", "deltas=0"),
        (.completions, #"{"choices":[{"text":"a","finish_reason":null}]}"#, "deltas=1"),
        (.completions, #"{"choices":[{"text":"","finish_reason":"length"}]}"#, "finish deltas=0"),
        (.anthropicMessages, #"{"type":"message_stop"}"#, "done deltas=0"),
        (.anthropicMessages, #"{"type":"ping"}"#, "deltas=0"),
        (
            .anthropicMessages, #"{"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}"#,
            "deltas=1"
        ),
        (
            .anthropicMessages,
            #"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":4}}"#,
            "finish deltas=0 usage=0+4 cached - cost -"
        ),
        (
            .anthropicMessages, #"{"type":"error","error":{"type":"overloaded_error","message":"o"}}"#,
            "deltas=0 error=overloaded_error: o"
        ),
        (.responses, #"{"type":"response.output_text.delta","delta":"a"}"#, "deltas=1"),
        (.responses, #"{"type":"response.created","response":{"error":null,"usage":null}}"#, "deltas=0"),
        (
            .responses,
            #"{"type":"response.completed","response":{"usage":{"input_tokens":3,"output_tokens":2}}}"#,
            "done finish deltas=0 usage=3+2 cached - cost -"
        ),
        (
            .gemini, #"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"x"}]}}]}"#,
            "deltas=0"
        ),
        (
            .gemini,
            #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"STOP"}]}"#,
            "done finish deltas=1"
        ),
    ]

    @Test("each event is understood", arguments: events)
    func understands(dialect: Dialect, event: String, summary: String) {
        let reader = ChatStreamReader.reading(Array("data: \(event)\n\n".utf8), as: dialect)

        #expect(reader.summary == summary)
    }

    @Test("an error keeps its payload, up to 4 KiB, and what was read in all of it")
    func keepsErrors() {
        let long = #"{"error":{"message":"\#(String(repeating: "x", count: 5000))","type":"t"}}"#
        let reader = ChatStreamReader.reading(Array("data: \(long)\n\ndata: {\"error\":\"second\"}\n\n".utf8))

        #expect(reader.hasError && !reader.isDone)
        #expect(reader.errorText == Array(long.utf8.prefix(4096)))
        #expect(reader.errorBody?.type == "t")
    }

    @Test("an error of a type alone has a text and no body")
    func keepsBareErrors() {
        let reader = ChatStreamReader.reading(Array("data: {\"type\":\"error\"}\n\n".utf8), as: .responses)

        #expect(
            reader.hasError && reader.errorText == Array(#"{"type":"error"}"#.utf8) && reader.errorBody == nil
        )
    }

    @Test("counts of a prompt and of its answer may come apart")
    func joinsUsage() {
        let start =
            #"{"type":"message_start","message":{"usage":{"input_tokens":9,"cache_read_input_tokens":5,"output_tokens":1}}}"#
        let end = #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}}"#
        let reader = ChatStreamReader.reading(
            Array("data: \(start)\n\ndata: \(end)\n\n".utf8),
            as: .anthropicMessages
        )

        #expect(reader.usage == Usage(promptTokens: 14, completionTokens: 7, cachedTokens: 5))
    }

    @Test("recorded streams come to the same, byte by byte")
    func readsByteByByte() throws {
        for name in try RecordedExchange.names("response") {
            let answer = try RecordedExchange(name)
            guard answer.isEventStream else { continue }
            var reader = ChatStreamReader(dialect: .openAIChat)
            for byte in answer.body { withUnsafeBytes(of: byte) { reader.feed($0) } }
            reader.finish()

            #expect(reader.summary == ChatStreamReader.reading(answer.body).summary, "\(name)")
        }
    }
}
