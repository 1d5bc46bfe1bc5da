internal import NIOCore
internal import Policies
internal import Wire

/// A prompt fitted into a budget.
enum PromptCut {
    /// It fits as it is.
    case whole(tokens: Int)
    case cut([Splice], ClipReceipt)
    /// What is always kept has so many tokens, and that is too many.
    case tooLong(tokens: Int)

    init(_ request: Classification, to budget: Budget, _ clip: ClipSettings) {
        guard let conversation = request.conversation, let prompt = request.prompt(by: budget.counting) else {
            self = .whole(tokens: 0)
            return
        }
        guard prompt.total > budget.tokens else {
            self = .whole(tokens: prompt.total)
            return
        }
        // Only a chat has turns that can be left out.
        guard conversation.messagesArray != nil else {
            self = .tooLong(tokens: prompt.total)
            return
        }
        let pinned = request.pinnedMessages(clip.pin)
        let messages = prompt.messages.enumerated().map { place, message in
            var message = message
            message.isPinned = pinned.contains(place)
            return message
        }
        let cut = ClipPolicy.cut(
            messages: messages,
            overheadTokens: prompt.overhead,
            budget: budget.tokens,
            blockTokens: clip.blockTokens
        )
        self = Self.carriedOut(cut, of: request, conversation, prompt, budget, clip)
    }

    private static func carriedOut(
        _ cut: Cut,
        of request: Classification,
        _ conversation: Conversation,
        _ prompt: CountedPrompt,
        _ budget: Budget,
        _ clip: ClipSettings
    ) -> PromptCut {
        var splices = conversation.removingMessages(cut.dropped)
        var after = cut.after
        var shortenedMessages: Set<Int> = []
        if cut.shortfall > 0 {
            guard clip.oversized == .truncate,
                let shortened = TurnShortening(request, conversation, prompt, cut, budget)
            else { return .tooLong(tokens: cut.after) }
            splices = Splice.merged([splices, shortened.splices])
            after -= shortened.savedTokens
            shortenedMessages = shortened.messages
        }
        let receipt = ClipReceipt(
            before: cut.before,
            after: after,
            budget: budget,
            lines: lines(of: conversation, prompt, cut, shortened: shortenedMessages)
        )
        return .cut(splices, receipt)
    }
}

extension PromptCut {
    private static func lines(
        of conversation: Conversation,
        _ prompt: CountedPrompt,
        _ cut: Cut,
        shortened: Set<Int>
    ) -> [ClipReceipt.Line] {
        var dropped = cut.dropped[...]
        return zip(conversation.messages, prompt.messages).enumerated().map { place, pair in
            let isDropped = dropped.first == place
            if isDropped { dropped = dropped.dropFirst() }
            return .init(
                role: pair.0.role.rawValue,
                tokens: pair.1.tokens,
                fate: isDropped ? .dropped : shortened.contains(place) ? .shortened : .kept
            )
        }
    }
}

extension Classification {
    /// Positions of the messages that contain one of the pinned texts.
    fileprivate func pinnedMessages(_ pins: [String]) -> Set<Int> {
        guard let conversation, !pins.isEmpty else { return [] }
        return body.withUnsafeReadableBytes { raw in
            Set(
                conversation.messages.indices.filter { place in
                    conversation.parts[conversation.messages[place].parts].contains { part in
                        guard part.kind == .text else { return false }
                        let text = part.text.string(in: raw)
                        return pins.contains { text.contains($0) }
                    }
                }
            )
        }
    }
}
