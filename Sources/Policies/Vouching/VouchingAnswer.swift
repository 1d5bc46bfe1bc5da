extension VouchingRecords {
    /// Whether a client may have a credential of the sidecar's own spent on a model.
    public enum Answer: Equatable, Sendable {
        case yes
        /// Yes, and the question is to be put to LiteLLM while nobody waits for it.
        case yesButRenew(Question)
        case no
        /// Nothing is known that still holds: the question is to be put to LiteLLM, and the request waits.
        case ask(Question)
        /// The question is on its way already: the request waits for the same answer.
        case wait
    }

    /// A question that is to be put to LiteLLM: which models this client may use.
    ///
    /// It ties the answer to the moment of asking: what was asked before a revocation is worth nothing.
    public struct Question: Hashable, Sendable {
        /// The digest that was looked up.
        public let client: StableDigest
        let number: UInt64
    }

    /// What came of a ``Question``.
    public enum Finding: Equatable, Sendable {
        /// 2xx, with the names and patterns of the models that it lists.
        ///
        /// Models behind the first 4,096 count as not listed.
        case listed([String])
        /// LiteLLM answered, and does not vouch for the client.
        case refused
        /// LiteLLM did not answer.
        case unreachable

        /// What an answer to `GET /v1/models` says.
        ///
        /// 502, 503 and 504 come from somebody who cannot reach LiteLLM, or from a LiteLLM that cannot look up
        /// keys. All others but 2xx are its own no; 500 too, since that is how one without a database answers a
        /// wrong key.
        ///
        /// - Parameter models: nil when the body is not a list of models, which is then no answer that vouches.
        public init(status: Int, models: [String]?) {
            self =
                switch status {
                case 200..<300: models.map { .listed($0) } ?? .refused
                case 502...504: .unreachable
                default: .refused
                }
        }
    }
}
