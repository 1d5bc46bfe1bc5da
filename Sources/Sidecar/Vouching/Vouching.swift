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
    fileprivate struct Waiter {
        let model: String
        let verdict: EventLoopPromise<Bool>
    }

    fileprivate struct State {
        var records = VouchingRecords()
        var waiters: [StableDigest: [Waiter]] = [:]
        /// Questions that are on their way.
        var questionCount = 0
    }

    /// More questions at once are not put: many unknown keys must not become as many requests to LiteLLM.
    fileprivate static let maxQuestions = 64

    private let state = Mutex(State())
    /// Made anew by every process: what is kept of a credential is of no use to anybody else.
    private let key: (UInt64, UInt64)

    init() {
        var system = SystemRandomNumberGenerator()
        key = (system.next(), system.next())
    }

    /// Answers from memory, or asks LiteLLM.
    func ask(_ question: VouchingQuestion, on eventLoop: any EventLoop) -> Verdict {
        let client = keyed(question.credentials, question.request.url)
        let (put, verdict) = state.withLock { state -> (VouchingRecords.Question?, Verdict) in
            switch state.records.lookUp(client, model: question.model, at: .now) {
            case .yes: return (nil, .known(true))
            case .no: return (nil, .known(false))
            case .yesButRenew(let put): return (state.mayPut(put) ? put : nil, .known(true))
            case .ask(let put):
                return state.mayPut(put)
                    ? (put, state.wait(client, question, eventLoop)) : (nil, .known(false))
            case .wait: return (nil, state.wait(client, question, eventLoop))
            }
        }
        if let put {
            question.request.send(on: eventLoop).whenComplete { self.learned(Self.finding(in: $0), to: put) }
        }
        return verdict
    }

    /// LiteLLM has turned a client away: what it said of it before holds no more.
    func revoke(_ credentials: StableDigest, at url: UpstreamURL) {
        let client = keyed(credentials, url)
        state.withLock { $0.records.revoke(client, at: .now) }
    }

    private func learned(_ finding: VouchingRecords.Finding, to question: VouchingRecords.Question) {
        let verdicts = state.withLock { state -> [(EventLoopPromise<Bool>, Bool)] in
            state.questionCount -= 1
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

    /// The word of one LiteLLM is worth nothing for another.
    private func keyed(_ credentials: StableDigest, _ url: UpstreamURL) -> StableDigest {
        var hasher = StableHasher(key: key)
        hasher.combine(credentials)
        hasher.combine(url.isTLS ? "https" : "http")
        hasher.combine(url.authority)
        hasher.combine(url.pathPrefix)
        return hasher.finalize()
    }
}

extension Vouching.State {
    /// Counts a question that is to be put; one too many counts as not answered.
    fileprivate mutating func mayPut(_ question: VouchingRecords.Question) -> Bool {
        guard questionCount < Vouching.maxQuestions else {
            records.learned(.unreachable, to: question, at: .now)
            return false
        }
        questionCount += 1
        return true
    }

    fileprivate mutating func wait(
        _ client: StableDigest,
        _ question: VouchingQuestion,
        _ eventLoop: any EventLoop
    ) -> Vouching.Verdict {
        let waiter = Vouching.Waiter(model: question.model, verdict: eventLoop.makePromise())
        waiters[client, default: []].append(waiter)
        return .asked(waiter.verdict.futureResult)
    }
}

/// The body of an answer to `GET /v1/models`, as far as it matters.
private struct ModelListDocument: Decodable {
    struct Model: Decodable {
        let id: String
    }

    let data: [Model]
}
