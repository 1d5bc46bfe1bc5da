internal import Policies
internal import Wire

/// What a body may hold that goes to an OpenAI-compatible server other than LiteLLM.
///
/// LiteLLM leaves out by itself what a provider does not know (`drop_params`); such servers answer 400 instead.
enum StandardFields {
    /// The request bodies of OpenAI's API reference (Chat, Completions, Embeddings) less what is about OpenAI's own
    /// service (`store`, `metadata`, `service_tier`, …) or about the person who asks (`user`, `safety_identifier`).
    static let names: Set<String> = [
        "model", "messages", "prompt", "input", "stream", "stream_options", "temperature", "top_p", "n",
        "stop",
        "max_tokens", "max_completion_tokens", "presence_penalty", "frequency_penalty", "logit_bias",
        "logprobs",
        "top_logprobs", "response_format", "seed", "tools", "tool_choice", "parallel_tool_calls", "functions",
        "function_call", "reasoning_effort", "modalities", "audio", "prediction", "suffix", "echo", "best_of",
        "encoding_format", "dimensions",
    ]

    /// The edits that leave out what is not standard and lower limits of the answer that exceed the target's window.
    static func edits(
        of conversation: Conversation,
        in body: UnsafeRawBufferPointer,
        window: Int?
    ) -> [[Splice]] {
        var edits = [conversation.keepingMembers(names, in: body)]
        guard let window else { return edits }
        for name: StaticString in ["max_tokens", "max_completion_tokens"] {
            guard let range = conversation.member(name, in: body),
                let wanted = Double(String(decoding: body[range], as: UTF8.self)), wanted > Double(window)
            else { continue }
            edits.append([Splice(range, with: Array(String(window).utf8))])
        }
        return edits
    }
}
