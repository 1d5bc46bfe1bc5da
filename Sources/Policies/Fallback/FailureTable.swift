/// What is known about the errors of LiteLLM and of the providers behind it, in one place.
///
/// LiteLLM answers with a status of its own: a provider's 413 arrives as 429, a 529 as 500, an empty account
/// as 400 or 429. So texts stand before statuses, and **the first row that matches decides**.
public enum FailureTable {
    /// The class of an answer, or nil when it is not a failure (status below 400).
    ///
    /// - Complexity: a search of the message for each text of the table; meant for errors only.
    public static func classify(_ answer: Answer) -> FailureClass? {
        guard answer.status >= 400 else { return nil }
        let message = FoldedText(answer.message)
        return rows.first { $0.mayApply(to: answer) && $0.matches(answer, message) }?.failure
    }

    /// Whether LiteLLM itself turns the client away, rather than passing on that a provider did so with a key of the
    /// operator's.
    ///
    /// Source: captures `litellm-auth-*` and `litellm-limit-*` against `litellm-anth-401-json`.
    public static func turnsClientAway(_ answer: Answer) -> Bool {
        guard !answer.hadOwnCredential, !Clue.passesOnProvidersWords(FoldedText(answer.message)) else {
            return false
        }
        return answer.status == 401 || answer.status == 403 || classify(answer) == .callerLimited
    }

    struct Row: Sendable {
        var statuses: ClosedRange<Int>
        /// Any of them suffices; none at all means that the status alone decides.
        var clues: [Clue]
        var failure: FailureClass

        init(_ statuses: ClosedRange<Int>, _ clues: [Clue] = [], _ failure: FailureClass) {
            self.statuses = statuses
            self.clues = clues
            self.failure = failure
        }

        /// A limit that an upstream puts on a credential of our own is none of the client's.
        func mayApply(to answer: Answer) -> Bool {
            failure != .callerLimited || !answer.hadOwnCredential
        }

        func matches(_ answer: Answer, _ message: FoldedText) -> Bool {
            statuses.contains(answer.status)
                && (clues.isEmpty || clues.contains { $0.holds(answer, message) })
        }
    }

    enum Clue: Sendable {
        /// Lowercase text anywhere in the message.
        case text(String)
        /// Two lowercase texts anywhere in the message.
        case texts(String, String)
        /// Lowercase text that LiteLLM itself begins its message with.
        ///
        /// What a provider said stands behind `litellm.SomeError: SomeException - `, and what a client wrote
        /// even later, so it cannot be taken for LiteLLM's own words.
        case ownWords(String)
        /// Own words, and another lowercase text anywhere in the message.
        case ownWordsAnd(String, String)
        /// The exact value of `type` or `code`.
        case kind(String)
        /// The exact value of `type` or `code`, unless LiteLLM passes on what a provider said.
        ///
        /// The provider may be a LiteLLM too, and LiteLLM keeps the `type` of what it passes on.
        case ownKind(String)
        /// The error page of LiteLLM's web server, in answer to a request without any credential.
        case anonymousCrash

        /// Room for `litellm.RateLimitError: ` and `{'error': '`.
        private static let ownWordsBeginWithin = 40
        /// Room for `litellm.SomeError: SomeError: SomeProvider`.
        private static let providerIsNamedWithin = 120

        func holds(_ answer: Answer, _ message: FoldedText) -> Bool {
            switch self {
            case .text(let text):
                message.contains(text)
            case .texts(let one, let other):
                message.contains(one) && message.contains(other)
            case .ownWords(let text):
                Self.areOwn(text, in: message)
            case .ownWordsAnd(let text, let other):
                Self.areOwn(text, in: message) && message.contains(other)
            case .kind(let kind):
                answer.type == kind || answer.code == kind
            case .ownKind(let kind):
                (answer.type == kind || answer.code == kind) && Self.providersWordsStart(in: message) == nil
            case .anonymousCrash:
                !answer.requestHadCredential && answer.type.isEmpty && answer.code.isEmpty
                    && (answer.message.isEmpty || message.contains("internal server error"))
            }
        }

        private static func areOwn(_ text: String, in message: FoldedText) -> Bool {
            let end = min(ownWordsBeginWithin, providersWordsStart(in: message) ?? .max)
            return message.contains(text, beginningWithin: end)
        }

        static func passesOnProvidersWords(_ message: FoldedText) -> Bool {
            providersWordsStart(in: message) != nil
        }

        /// Where LiteLLM passes on what a provider said, if it does.
        private static func providersWordsStart(in message: FoldedText) -> Int? {
            guard message.contains("litellm.", beginningWithin: 1) else { return nil }
            return message.ends(of: "exception - ").first { $0 <= providerIsNamedWithin }
        }
    }
}
