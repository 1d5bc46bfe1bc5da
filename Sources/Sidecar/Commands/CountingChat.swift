internal import ArgumentParser
internal import FoundationEssentials
internal import NIOCore
internal import Policies
internal import TokenCount
internal import Wire

extension Count {
    /// A larger body is refused: it is held in memory.
    private static let mostChatBytes = 1 << 30

    private struct ChatCount: Encodable {
        let model: String
        let encoding: String
        let total: Int
        let messages: Int
        let tools: Int
        let images: Int
        let framing: Int
    }

    func countChat() throws {
        let bytes = try StandardInput.read(maxBytes: Self.mostChatBytes)
        let settings = try options.load().configuration.policies
        let request = Classification(
            dialect: .openAIChat,
            path: "",
            body: ByteBuffer(bytes: bytes),
            headers: [:]
        )
        let name = model ?? request.facts.model
        var counting = settings.counting(of: name)
        counting.encoding = try Self.encoding(named: encoding ?? counting.encoding).name
        guard let prompt = request.prompt(by: counting) else {
            StandardError.print("sidecar: not a chat-completions body; send JSON with messages")
            throw Exit.unusableInput
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let counted = ChatCount(
            model: name,
            encoding: counting.encoding,
            total: prompt.total,
            messages: prompt.total - prompt.toolTokens - prompt.imageTokens - prompt.framingTokens,
            tools: prompt.toolTokens,
            images: prompt.imageTokens,
            framing: prompt.framingTokens
        )
        print(String(decoding: try encoder.encode(counted), as: UTF8.self))
    }
}
