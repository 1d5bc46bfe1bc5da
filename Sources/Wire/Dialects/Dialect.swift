/// The API that a request speaks, as its path tells.
public enum Dialect: String, CaseIterable, Sendable {
    case openAIChat = "openai-chat"
    case completions
    case embeddings
    case images
    case anthropicMessages = "anthropic-messages"
    case responses
    case gemini
    case other

    /// Tells the dialect from a request's path.
    ///
    /// Holds for `POST` only: other methods on the same paths list, read or delete. A query is ignored. Paths
    /// are compared as they are spelled; one that is percent-encoded or has a doubled or trailing slash is
    /// ``other``, and so is forwarded without being looked into.
    ///
    /// - Complexity: O(*n*), no allocation.
    public static func of(path: UnsafeRawBufferPointer) -> Dialect {
        let end = path.firstIndex { $0 == Ascii.questionMark || $0 == UInt8(ascii: "#") } ?? path.endIndex
        let path = UnsafeRawBufferPointer(rebasing: path[..<end])
        if let exact = exactPaths.first(where: { path.isEqual(to: $0.path) }) { return exact.dialect }
        if deployments.contains(where: { path.hasPrefix($0) }) {
            let match = deploymentOperations.first { operation in
                deployments.contains { path.hasPrefix($0, andSuffix: operation.path) }
            }
            return match?.dialect ?? .other
        }
        let isGemini = geminiMethods.contains { path.hasPrefix("/", andSuffix: $0) }
        return isGemini ? .gemini : .other
    }

    /// Tells the dialect from a request's path.
    ///
    /// Holds for `POST` only, as the other form of this method explains.
    public static func of(path: String) -> Dialect {
        var path = path
        return path.withUTF8 { of(path: UnsafeRawBufferPointer($0)) }
    }

    /// Most frequent first.
    ///
    /// LiteLLM serves each OpenAI path with and without `/v1`.
    private static let exactPaths: [(path: StaticString, dialect: Dialect)] = [
        ("/v1/chat/completions", .openAIChat),
        ("/chat/completions", .openAIChat),
        ("/v1/messages", .anthropicMessages),
        ("/v1/responses", .responses),
        ("/responses", .responses),
        ("/v1/completions", .completions),
        ("/completions", .completions),
        ("/v1/embeddings", .embeddings),
        ("/embeddings", .embeddings),
        ("/v1/images/generations", .images),
        ("/images/generations", .images),
        ("/v1/images/edits", .images),
        ("/images/edits", .images),
    ]

    /// The path behind the version, as OpenAI spells it; nil where a request for a foreign upstream is never made.
    public var operationPath: StaticString? {
        switch self {
        case .openAIChat: "/chat/completions"
        case .completions: "/completions"
        case .embeddings: "/embeddings"
        case .images, .anthropicMessages, .responses, .gemini, .other: nil
        }
    }

    /// Azure's form and OpenAI's former one: the model stands between these and the operation, and may itself
    /// contain slashes.
    private static let deployments: [StaticString] = ["/openai/deployments/", "/engines/"]

    /// `/chat/completions` stands first, since the other ending is part of it.
    private static let deploymentOperations: [(path: StaticString, dialect: Dialect)] = [
        ("/chat/completions", .openAIChat),
        ("/completions", .completions),
        ("/embeddings", .embeddings),
        ("/images/generations", .images),
        ("/images/edits", .images),
    ]

    private static let geminiMethods: [StaticString] = [":generateContent", ":streamGenerateContent"]
}

extension UnsafeRawBufferPointer {
    fileprivate func isEqual(to text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && hasPrefix(text)
    }

    fileprivate func hasPrefix(_ text: StaticString) -> Bool {
        starts(with: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Whether both ends match and there is something between them.
    fileprivate func hasPrefix(_ prefix: StaticString, andSuffix suffix: StaticString) -> Bool {
        let ends = prefix.utf8CodeUnitCount + suffix.utf8CodeUnitCount
        let end = UnsafeRawBufferPointer(rebasing: self.suffix(suffix.utf8CodeUnitCount))
        return count > ends && hasPrefix(prefix) && end.isEqual(to: suffix)
    }
}
