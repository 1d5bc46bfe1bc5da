internal import NIOCore
internal import Policies
internal import Wire

/// The body of one attempt: the client's own, with what the target needs changed.
///
/// The only place where a decision becomes splices.
enum AttemptBody: Sendable {
    /// Fits; the receipt tells what was left out for it, `messages` where the messages of a chat lie in it.
    case ready(ByteBuffer, isEdited: Bool, clip: ClipReceipt?, countedTokens: Int?, messages: Range<Int>?)
    /// What is always kept exceeds the budget.
    case tooLong(tokens: Int, budget: Int)

    /// Makes the body.
    ///
    /// - Parameters:
    ///   - budget: of this try; it may be tighter than the attempt's own.
    ///   - isLast: whether nothing follows, so that LiteLLM may fall back by itself.
    ///   - edits: what is changed within messages: images, notices of the sidecar's own.
    ///   - prefill: the start of the answer that the target goes on from.
    ///   - isOwnUpstream: whether it goes to the upstream that the listener fronts.
    static func make(
        of request: Classification,
        for attempt: Attempt,
        budget: Budget?,
        isLast: Bool,
        upstream: Upstream.Kind,
        isOwnUpstream: Bool = false,
        edits given: [Splice] = [],
        prefill: [UInt8]? = nil,
        clip: ClipSettings
    ) -> AttemptBody {
        guard let conversation = request.conversation else {
            return .ready(request.body, isEdited: false, clip: nil, countedTokens: nil, messages: nil)
        }
        var receipt: ClipReceipt?
        var edits = [given]
        var tokens: Int?
        let budget = budget.map { $0.less(prefill) }
        if let budget, request.tokensAtMost(by: budget.counting) > budget.tokens {
            switch PromptCut(request, to: budget, clip) {
            case .whole(let counted): tokens = counted
            case .cut(let splices, let cut):
                receipt = cut
                tokens = cut.after
                edits.append(splices)
            case .tooLong(let tokens): return .tooLong(tokens: tokens, budget: budget.tokens)
            }
        }
        return request.body.withUnsafeReadableBytes { raw in
            edits += adaptations(
                of: conversation,
                raw,
                attempt,
                isLast: isLast,
                upstream: upstream,
                isOwnUpstream: isOwnUpstream
            )
            if let prefill { edits.append(conversation.beginningAnswer(with: prefill)) }
            let splices = Splice.merged(edits)
            let isEdited = !splices.isEmpty
            return .ready(
                isEdited ? raw.spliced(splices) : request.body,
                isEdited: isEdited,
                clip: isEdited ? receipt : nil,
                countedTokens: tokens,
                messages: conversation.messagesSpan(after: splices)
            )
        }
    }

    /// What has to change besides the prompt.
    private static func adaptations(
        of conversation: Conversation,
        _ raw: UnsafeRawBufferPointer,
        _ attempt: Attempt,
        isLast: Bool,
        upstream: Upstream.Kind,
        isOwnUpstream: Bool
    ) -> [[Splice]] {
        var edits: [[Splice]] = []
        if attempt.isForeign { edits.append(conversation.settingModel(to: attempt.target.model, in: raw)) }
        switch upstream {
        case .litellm:
            // The header that forbids retries does not stop its own fallbacks, which would get the whole history.
            if !isLast { edits.append(conversation.setting("disable_fallbacks", toRaw: "true", in: raw)) }
            if attempt.isForeign { edits.append(conversation.setting("drop_params", toRaw: "true", in: raw)) }
        case .openai where attempt.isForeign || !isOwnUpstream:
            edits += StandardFields.edits(of: conversation, in: raw, window: attempt.window?.tokens)
        case .openai, .dify: break
        }
        return edits
    }
}

extension Budget {
    /// What is left beside the start of an answer.
    fileprivate func less(_ prefill: [UInt8]?) -> Budget {
        guard let prefill, let counters = PromptCounters(counting) else { return self }
        return Budget(tokens: max(0, tokens - counters.text.count(prefill)), counting: counting)
    }
}

extension UnsafeRawBufferPointer {
    /// The document with the splices applied, as a buffer that can be sent.
    func spliced(_ splices: [Splice]) -> ByteBuffer {
        var out = ByteBufferAllocator().buffer(capacity: splicedCount(splices))
        var read = 0
        for splice in splices {
            out.writeBytes(slice(read..<splice.range.lowerBound))
            out.writeBytes(splice.replacement)
            read = splice.range.upperBound
        }
        out.writeBytes(slice(read..<count))
        return out
    }
}
