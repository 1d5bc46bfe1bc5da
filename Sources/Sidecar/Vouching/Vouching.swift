internal import FoundationEssentials
internal import NIOCore
internal import Policies
internal import Synchronization

/// Whether a client may use a model that is called with the sidecar's own credential.
struct VouchingQuestion {
    /// Of the client's credentials together.
    let credentials: StableDigest
    let model: String
    /// How to ask, if nothing is known.
    let request: ModelListRequest
}

/// Knows which clients LiteLLM vouches for, and asks it about those that are new.
///
/// Shared by the event loops; each answer is waited for on the loop that wants it.
final class Vouching: Sendable {
    enum Verdict {
        case known(Bool)
        /// LiteLLM is being asked; of the loop that was named.
        case asked(EventLoopFuture<Bool>)
    }

    /// A request that waits for LiteLLM's word.
    private struct Waiter {
        let model: String
        let verdict: EventLoopPromise<Bool>
    }

    private struct State {
        var records = VouchingRecords()
        var waiters: [StableDigest: [Waiter]] = [:]
    }

    private let state = Mutex(State())
    /// Made anew by every process: what is kept of a credential is of no use to anybody else.
    private let key: (UInt64, UInt64)

    init() {
        var system = SystemRandomNumberGenerator()
        key = (system.next(), system.next())
    }

    /// Answers from memory, or asks LiteLLM.
    func ask(_ question: VouchingQuestion, on eventLoop: any EventLoop) -> Verdict {
        let client = keyed(question.credentials)
        let (answer, verdict) = state.withLock { state -> (VouchingRecords.Answer, Verdict) in
            let answer = state.records.lookUp(client, model: question.model, at: .now)
            switch answer {
            case .yes, .yesButRenew: return (answer, .known(true))
            case .no: return (answer, .known(false))
            case .ask, .wait:
                let waiter = Waiter(model: question.model, verdict: eventLoop.makePromise())
                state.waiters[client, default: []].append(waiter)
                return (answer, .asked(waiter.verdict.futureResult))
            }
        }
        switch answer {
        case .ask(let put), .yesButRenew(let put):
            question.request.send(on: eventLoop).whenComplete { self.learned(Self.finding(in: $0), to: put) }
        case .yes, .no, .wait: break
        }
        return verdict
    }

    /// LiteLLM has turned a client away: what it said of it before holds no more.
    func revoke(_ credentials: StableDigest) {
        let client = keyed(credentials)
        state.withLock { $0.records.revoke(client, at: .now) }
    }

    private func learned(_ finding: VouchingRecords.Finding, to question: VouchingRecords.Question) {
        let verdicts = state.withLock { state -> [(EventLoopPromise<Bool>, Bool)] in
            state.records.learned(finding, to: question, at: .now)
            let waiters = state.waiters.removeValue(forKey: question.client) ?? []
            return waiters.map { waiter in
                (waiter.verdict, state.records.vouches(for: question.client, model: waiter.model, at: .now))
            }
        }
        for (verdict, isVouched) in verdicts { verdict.succeed(isVouched) }
    }

    private static func finding(
        in result: Result<ModelListRequest.Answer, any Error>
    ) -> VouchingRecords.Finding {
        guard case .success(let answer) = result else { return .unreachable }
        let list = answer.body.withUnsafeReadableBytes { raw in
            try? JSONDecoder().decode(ModelListDocument.self, from: Data(raw))
        }
        return VouchingRecords.Finding(status: answer.status, models: list?.data.map(\.id))
    }

    private func keyed(_ credentials: StableDigest) -> StableDigest {
        var hasher = StableHasher(key: key)
        hasher.combine(credentials)
        return hasher.finalize()
    }
}

/// The body of an answer to `GET /v1/models`, as far as it matters.
private struct ModelListDocument: Decodable {
    struct Model: Decodable {
        let id: String
    }

    let data: [Model]
}
