internal import NIOCore
internal import Policies
internal import Wire

/// The newest turn with its longest texts shortened in the middle, where dropping older turns is not enough.
struct TurnShortening {
    let splices: [Splice]
    /// Tokens that the shortened texts count less, measured on the shortened texts.
    let savedTokens: Int
    /// Positions of the messages that they belong to.
    let messages: Set<Int>

    /// How often the allowance of a text is tightened when its two halves count more when joined.
    private static let rounds = 4

    /// - Returns: nil when the texts cannot shrink far enough.
    init?(
        _ request: Classification,
        _ conversation: Conversation,
        _ prompt: CountedPrompt,
        _ cut: Cut,
        _ budget: Budget
    ) {
        guard let counter = TextCounter(encoding: budget.counting.encoding) else { return nil }
        let candidates = Self.newestTexts(conversation)
        let found = request.body.withUnsafeReadableBytes {
            raw -> (splices: [Splice], saved: Int, messages: [Int])? in
            let texts = candidates.map { conversation.parts[$0.part].text.decoded(in: raw) }
            let counts = texts.map(counter.count)
            let parts = zip(candidates, counts).map {
                Shortening.Part(tokens: $1, isToolResult: $0.isToolResult)
            }
            var wanted = cut.shortfall
            for _ in 0..<Self.rounds {
                guard let steps = Shortening.steps(for: parts, shortfall: wanted) else { return nil }
                let shortened = steps.map { counter.shortened(texts[$0.part], to: $0.tokens) }
                let saved = zip(steps, shortened).reduce(0) { $0 + counts[$1.0.part] - counter.count($1.1) }
                if saved >= cut.shortfall {
                    let splices = zip(steps, shortened).map { step, text in
                        conversation.replacing(part: candidates[step.part].part, text: text)
                    }
                    return (splices, saved, steps.map { candidates[$0.part].message })
                }
                wanted += cut.shortfall - saved
            }
            return nil
        }
        guard let found else { return nil }
        splices = found.splices
        savedTokens = found.saved
        messages = Set(found.messages)
    }

    private struct Candidate {
        let message: Int
        let part: Int
        let isToolResult: Bool
    }

    /// The text parts behind the last user message, its own included; never the arguments of a call.
    private static func newestTexts(_ conversation: Conversation) -> [Candidate] {
        guard let start = conversation.messages.lastIndex(where: { $0.role == .user }) else { return [] }
        return conversation.messages.indices[start...].flatMap { place -> [Candidate] in
            let message = conversation.messages[place]
            guard message.role != .system, message.role != .developer else { return [] }
            let isToolResult = message.role == .tool || message.role == .function
            return message.parts.filter {
                conversation.parts[$0].kind == .text && !conversation.parts[$0].isRaw
            }
            .map { Candidate(message: place, part: $0, isToolResult: isToolResult) }
        }
    }
}

extension JSONText {
    /// The decoded UTF-8 of the string.
    func decoded(in document: UnsafeRawBufferPointer) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        append(to: &text, from: document)
        return text
    }
}
