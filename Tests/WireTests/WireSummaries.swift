import Wire

extension Conversation {
    /// Scans a body and checks nothing.
    static func scan(_ body: [UInt8], as dialect: Dialect = .openAIChat) -> Conversation? {
        body.withUnsafeBytes { Conversation(scanning: $0, as: dialect) }
    }

    static func scan(_ body: String, as dialect: Dialect = .openAIChat) -> Conversation? {
        scan(Array(body.utf8), as: dialect)
    }

    /// Every message as its role and its parts, for comparison with what is expected.
    func summary(in body: [UInt8]) -> [String] {
        messages.map { message in
            let parts = parts[message.parts].map { part in
                let text = body.withUnsafeBytes { part.text.string(in: $0) }
                let kind = "\(part.kind)".replacing("Wire.Conversation.ImageDetail.", with: "")
                return " \(kind)=\(text.count > 60 ? "\(text.prefix(40))… (\(text.utf8.count))" : text)"
            }
            return "\(message.role):" + parts.joined(separator: " |")
        }
    }

    func summary(in body: String) -> [String] {
        summary(in: Array(body.utf8))
    }
}

extension ChatStreamReader {
    static func reading(_ stream: [UInt8], as dialect: Dialect = .openAIChat) -> ChatStreamReader {
        var reader = ChatStreamReader(dialect: dialect)
        stream.withUnsafeBytes { reader.feed($0) }
        reader.finish()
        return reader
    }

    /// What came of a stream, on one line.
    var summary: String {
        let end = (isDone ? "done " : "") + (hasFinish ? "finish " : "") + (sawDelta ? "output" : "no output")
        let error = errorBody.map { " error=\($0.type): \($0.message.prefix(60))" } ?? ""
        return end + (usage.map { " usage=\($0.summary)" } ?? "") + error
    }
}

extension Usage {
    var summary: String {
        "\(promptTokens)+\(completionTokens) cached \(cachedTokens.map(String.init) ?? "-")"
            + " cost \(cost.map { "\($0)" } ?? "-")"
    }
}

extension ErrorBody {
    static func reading(_ body: String) -> ErrorBody? {
        Array(body.utf8).withUnsafeBytes { ErrorBody.reading($0) }
    }
}
