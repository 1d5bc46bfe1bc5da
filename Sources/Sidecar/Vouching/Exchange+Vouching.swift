internal import NIOCore
internal import Policies
internal import Wire

/// Where the sidecar would spend a credential of its own, the client must be vouched for first.
extension Exchange {
    /// Goes on once it is known that the client may use the attempt's upstream.
    func whenVouched(_ goOn: @escaping (Exchange) -> Void) {
        guard let attempt, attempt.upstream.settings.bearer != nil else { return goOn(self) }
        let identity = decision?.identity ?? Identity(head: head, bytes: headBytes)
        guard let credentials = identity.credentials else { return notVouched() }
        if holdsClientKey { return goOn(self) }
        guard let question = vouchingQuestion(credentials) else { return notVouched() }
        switch loop.shared.vouching.ask(question, on: loop.eventLoop) {
        case .known(let isVouched):
            isVouched ? goOn(self) : notVouched()
        case .asked(let answer):
            answer.assumeIsolated().whenSuccess { isVouched in
                guard !self.isOver, self.attempt === attempt else { return }
                isVouched ? goOn(self) : self.notVouched()
            }
        }
    }

    private func notVouched() {
        attemptFailed(.unvouched, delay: nil)
    }

    /// LiteLLM has turned the client away: what it said before holds no more.
    func revokeVouching() {
        guard let upstream, attempt?.upstream.name == upstream.name,
            let credentials = decision?.identity?.credentials
        else { return }
        loop.shared.vouching.revoke(credentials, at: upstream.settings.url)
    }

    /// Whether one of the credentials is listed in the variant.configuration.
    private var holdsClientKey: Bool {
        let keys = snapshot.clientKeys(of: client.listener.name)
        guard !keys.isEmpty else { return false }
        return credentialFields.contains { field in
            let key = field.value.withoutBearer
            // All are compared, so that the time taken does not tell which one was near.
            return keys.reduce(false) { found, listed in key.isEqualInConstantTime(to: listed) || found }
        }
    }

    private var credentialFields: [(name: String, value: String)] {
        headBytes.withUnsafeReadableBytes { raw in
            head.fields.filter { $0.header.isCredential && !$0.value.isEmpty }.map { field in
                (
                    String(decoding: raw.slice(field.name), as: UTF8.self),
                    String(decoding: raw.slice(field.value), as: UTF8.self)
                )
            }
        }
    }

    /// Nil where nobody can vouch: the listener's upstream is no LiteLLM, or the request names no model.
    private func vouchingQuestion(_ credentials: StableDigest) -> VouchingQuestion? {
        guard let upstream, upstream.kind == .litellm, !record.requestedModel.isEmpty else { return nil }
        return VouchingQuestion(
            credentials: credentials,
            model: record.requestedModel,
            request: ModelListRequest(
                url: upstream.settings.url,
                tls: loop.shared.tls,
                credentials: credentialFields,
                connectTimeout: TimeAmount(variant.configuration.timeouts.connect)
            )
        )
    }
}

extension String {
    /// The token of a `Bearer` value (RFC 6750, section 2.1); any other value as it is.
    fileprivate var withoutBearer: String {
        let scheme = "bearer "
        return prefix(scheme.count).lowercased() == scheme ? String(dropFirst(scheme.count)) : self
    }

    /// Compares without an early end, so that the time taken tells nothing about the other text.
    func isEqualInConstantTime(to other: String) -> Bool {
        let (own, expected) = (Array(utf8), Array(other.utf8))
        guard own.count == expected.count else { return false }
        return zip(own, expected).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
