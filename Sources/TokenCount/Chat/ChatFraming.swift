/// What a chat costs beyond the tokens of its texts, by LiteLLM's own accounting (`litellm.token_counter`).
///
/// The caller counts the texts: every message's content and tool calls, names, and the tool definitions as the
/// JSON that is sent. (LiteLLM renders the definitions as TypeScript-like text first, which is somewhat shorter.)
///
/// The Base64 of images, audio and files is never counted as text. An image costs what its provider's
/// ``ImageRule`` says; for the other two see ``audioPart`` and ``filePart``.
public enum ChatFraming {
    /// Tokens that frame every message.
    public static let message = 3
    /// Tokens for a message that carries a name, beside those of the name's text.
    public static let name = 1
    /// Tokens that open the answer; once a request.
    public static let replyPriming = 3
    /// Tokens that frame the tool definitions; once a request that has any.
    public static let tools = 9
    /// What a system message takes off the cost of ``tools``, because the two share a frame.
    public static let systemShareOfTools = 4
    /// Tokens of an audio part, whatever its length: half a minute at OpenAI's ten tokens a second.
    ///
    /// The length cannot be known without decoding the audio.
    public static let audioPart = 300
    /// Tokens of a file part, whatever its size: one page by Anthropic's figures for PDF, at their lower end.
    public static let filePart = 1_500

    /// The framing of a whole request.
    ///
    /// - Parameters:
    ///   - messages: how many there are, system messages included.
    ///   - named: how many of them carry a name.
    public static func tokens(messages: Int, named: Int, hasTools: Bool, hasSystemMessage: Bool) -> Int {
        let toolFrame = hasTools ? tools - (hasSystemMessage ? systemShareOfTools : 0) : 0
        return messages * message + named * name + toolFrame + replyPriming
    }
}
