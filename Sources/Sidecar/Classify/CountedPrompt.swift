internal import Policies
internal import TokenCount
internal import Wire

/// A request counted in one encoding, message by message.
struct CountedPrompt {
    /// In the order of the conversation's messages.
    let messages: [ClipMessage]
    /// Tokens that belong to no message: tool definitions and the priming of the reply.
    let overhead: Int
    /// Tokens of the tool definitions, of images and of framing; each is part of the counts above.
    let toolTokens: Int
    let imageTokens: Int
    let framingTokens: Int

    var total: Int { messages.reduce(overhead) { $0 + $1.tokens } }

    init(
        _ conversation: Conversation,
        in body: UnsafeRawBufferPointer,
        by counters: PromptCounters,
        _ counts: CountMemory
    ) {
        var ids = CallNumbers()
        var counting = MessageCounting(conversation, body, counters, counts)
        messages = conversation.messages.map { counting.message($0, &ids) }
        toolTokens = counting.toolTokens
        overhead = toolTokens + counting.requestFraming
        imageTokens = counting.imageTokens
        framingTokens = counting.framingTokens + counting.requestFraming
    }

    /// The ``total`` alone.
    static func total(
        of conversation: Conversation,
        in body: UnsafeRawBufferPointer,
        by counters: PromptCounters,
        _ counts: CountMemory
    ) -> Int {
        var counting = MessageCounting(conversation, body, counters, counts)
        let overhead = counting.toolTokens + counting.requestFraming
        return conversation.messages.reduce(overhead) { $0 + counting.tokens(of: $1) }
    }
}

/// Gives small numbers to the ids of tool calls.
private struct CallNumbers {
    private var numbers: [String: Int] = [:]

    mutating func number(of id: String) -> Int {
        if let known = numbers[id] { return known }
        numbers[id] = numbers.count
        return numbers.count - 1
    }
}

private struct MessageCounting {
    let conversation: Conversation
    let body: UnsafeRawBufferPointer
    let counters: PromptCounters
    let counts: CountMemory
    /// Decoded text of the part at hand; kept between parts so that it is allocated once.
    private var scratch: [UInt8] = []
    private(set) var imageTokens = 0
    private(set) var framingTokens = 0

    init(
        _ conversation: Conversation,
        _ body: UnsafeRawBufferPointer,
        _ counters: PromptCounters,
        _ counts: CountMemory
    ) {
        self.conversation = conversation
        self.body = body
        self.counters = counters
        self.counts = counts
    }

    /// Tool definitions are counted as the JSON that was sent.
    var toolTokens: Int {
        mutating get {
            conversation.toolDefinitions.reduce(0) { $0 + text(body.slice($1), isEscaped: nil) }
        }
    }

    /// Framing that belongs to the request as a whole.
    var requestFraming: Int {
        guard conversation.messagesArray != nil else { return 0 }
        return ChatFraming.tokens(
            messages: 0,
            named: 0,
            hasTools: !conversation.toolDefinitions.isEmpty,
            hasSystemMessage: conversation.messages.contains { $0.role.clipRole == .system }
        )
    }

    mutating func message(_ message: Conversation.Message, _ ids: inout CallNumbers) -> ClipMessage {
        var result = ClipMessage(message.role.clipRole, tokens: tokens(of: message))
        for part in conversation.parts[message.parts] {
            switch part.kind {
            case .toolCallID: result.opensCalls.append(ids.number(of: part.text.string(in: body)))
            case .toolResultID: result.answersCall = ids.number(of: part.text.string(in: body))
            default: break
            }
        }
        return result
    }

    mutating func tokens(of message: Conversation.Message) -> Int {
        let framing = conversation.messagesArray == nil ? 0 : ChatFraming.message
        framingTokens += framing
        return conversation.parts[message.parts].reduce(framing) { $0 + tokens(of: $1) }
    }

    private mutating func tokens(of part: Conversation.Part) -> Int {
        switch part.kind {
        case .text, .refusal, .toolName, .toolArguments, .reasoning, .toolCallID, .toolResultID, .fileName,
            .other:
            return text(part)
        case .name:
            framingTokens += ChatFraming.name
            return text(part) + ChatFraming.name
        case .imageURL(let detail): return image(part, detail)
        case .imageData: return image(part, .none)
        case .audioData: return ChatFraming.audioPart
        case .fileData, .fileID: return ChatFraming.filePart
        // The same text as the reasoning beside it.
        case .thinking: return 0
        case .tokens(let count): return count
        }
    }

    private mutating func image(_ part: Conversation.Part, _ detail: Conversation.ImageDetail) -> Int {
        let tokens = counters.tokens(ofImage: part, detail, in: body)
        imageTokens += tokens
        return tokens
    }

    private mutating func text(_ part: Conversation.Part) -> Int {
        let isEscaped = part.text.hasEscapes && !part.isRaw
        return text(body.slice(part.text.range), isEscaped: isEscaped ? part.text : nil)
    }

    /// Counts a text, or remembers its count.
    ///
    /// - Parameter isEscaped: the text's span where its escapes have to be decoded first.
    private mutating func text(_ written: UnsafeRawBufferPointer, isEscaped span: JSONText?) -> Int {
        guard written.count >= CountMemory.leastBytes else { return counted(written, span) }
        let key = counts.key(written, encoding: counters.text.number, isEscaped: span != nil)
        if let known = counts.count(of: key) { return known }
        let count = counted(written, span)
        counts.remember(count, of: key)
        return count
    }

    private mutating func counted(_ written: UnsafeRawBufferPointer, _ span: JSONText?) -> Int {
        guard let span else { return counters.text.count(written) }
        scratch.removeAll(keepingCapacity: true)
        span.append(to: &scratch, from: body)
        return counters.text.count(scratch)
    }
}

extension Conversation.Role {
    fileprivate var clipRole: ClipMessage.Role {
        switch self {
        case .system, .developer: .system
        case .user: .user
        case .assistant, .other: .assistant
        case .tool, .function: .tool
        }
    }
}
