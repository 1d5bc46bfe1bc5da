import Testing
import Wire

@Suite("A streamed answer is watched as it goes by")
struct ChatStreamReaderTests {
    /// What one event alone leads to.
    static let events: [(dialect: Dialect, event: String, summary: String)] = [
        (.openAIChat, "[DONE]", "done no output"),
        (.openAIChat, #"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#, "no output"),
        (
            .openAIChat, #"{"choices":[{"delta":{"content":"a"},"finish_reason":null}],"usage":null}"#,
            "output"
        ),
        (.openAIChat, #"{"choices":[{"delta":{"content":null,"reasoning_content":"a"}}]}"#, "output"),
        (.openAIChat, #"{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}"#, "output"),
        (.openAIChat, #"{"choices":[{"delta":{"images":[{}]}},{"delta":{"content":"b"}}]}"#, "output"),
        (.openAIChat, #"{"choices":[{"delta":{"provider_specific_fields":{"a":[1]}}}]}"#, "no output"),
        (.openAIChat, #"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, "finish no output"),
        (.openAIChat, #"{"choices":[{"delta":{},"finish_reason":""}]}"#, "no output"),
        (.openAIChat, #"{"choices":[{"delta":{"content":"\"finish_reason\":\"stop\""}}]}"#, "output"),
        (
            .openAIChat, #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
            "no output usage=3+2 cached - cost -"
        ),
        (.openAIChat, #"{"error":{"message":"m","type":"t","code":"500"}}"#, "no output error=t: m"),
        (.openAIChat, #"{"error":null,"choices":[{"delta":{"content":"a"}}]}"#, "output"),
        (.openAIChat, #"{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]"#, "no output"),
        (.openAIChat, "not JSON", "no output"),
        (.completions, #"{"choices":[{"text":"a","finish_reason":null}]}"#, "output"),
        (.completions, #"{"choices":[{"text":"","finish_reason":"length"}]}"#, "finish no output"),
        (.anthropicMessages, #"{"type":"message_stop"}"#, "done no output"),
        (.anthropicMessages, #"{"type":"ping"}"#, "no output"),
        (
            .anthropicMessages, #"{"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}"#,
            "output"
        ),
        (
            .anthropicMessages,
            #"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":4}}"#,
            "finish no output usage=0+4 cached - cost -"
        ),
        (
            .anthropicMessages, #"{"type":"error","error":{"type":"overloaded_error","message":"o"}}"#,
            "no output error=overloaded_error: o"
        ),
        (.responses, #"{"type":"response.output_text.delta","delta":"a"}"#, "output"),
        (.responses, #"{"type":"response.created","response":{"error":null,"usage":null}}"#, "no output"),
        (
            .responses,
            #"{"type":"response.completed","response":{"usage":{"input_tokens":3,"output_tokens":2}}}"#,
            "done finish no output usage=3+2 cached - cost -"
        ),
        (
            .gemini, #"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"x"}]}}]}"#,
            "no output"
        ),
        (
            .gemini,
            #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"STOP"}]}"#,
            "done finish output"
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

    @Test(
        "events with output are counted, whatever pieces they come in",
        arguments: [1, 2, 3, 4, 9],
        [1, 7, 4096]
    )
    func outputEvents(count: Int, step: Int) {
        let role = #"data: {"choices":[{"delta":{"role":"assistant","content":""}}]}"# + "\n\n"
        let delta = #"data: {"choices":[{"delta":{"content":"a"}}]}"# + "\n\n"
        let finish = #"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"# + "\n\n"
        let usage = #"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"# + "\n\n"
        let start = role + String(repeating: delta, count: count)
        for end in ["", finish, finish + usage, finish + usage + "data: [DONE]\n\n"] {
            var reader = ChatStreamReader(dialect: .openAIChat)
            let bytes = Array((start + end).utf8)
            for offset in stride(from: 0, to: bytes.count, by: step) {
                bytes[offset..<min(offset + step, bytes.count)].withUnsafeBytes { reader.feed($0) }
            }
            reader.finish()

            #expect(reader.outputEventCount == count)
        }
    }
}
