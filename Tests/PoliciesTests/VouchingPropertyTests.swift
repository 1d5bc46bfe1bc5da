import Policies
import TestSupport
import Testing

/// Simulated days of clients whose keys are revoked and given back, and of a LiteLLM that goes up and down.
@Suite("Whatever happens, nobody is vouched for without LiteLLM")
struct VouchingPropertyTests {
    static let clients = 4

    @Test("yes, no and the number of questions keep to the rules", arguments: 0..<50)
    func keepsToTheRules(seed: Int) {
        var world = World(seed: UInt64(seed))

        for _ in 0..<2_000 { world.step() }

        #expect(world.broken == [], "seed \(seed)")
        // Without these the walk would have shown nothing.
        #expect(world.seen.count == 5, "seed \(seed): \(world.seen)")
    }

    /// What a client's key is worth in truth, and what was said of it.
    private struct Client {
        var digest: StableDigest
        /// Nil while the key is good.
        var revokedSince: ContinuousClock.Instant?
        /// The newest answer that listed the model, by the instant of its question; nil behind a no.
        var vouched: ContinuousClock.Instant?
        /// When a question about it last found LiteLLM down.
        var unreachable: ContinuousClock.Instant?
        /// What is on its way: the answer was made when the question was put.
        var pending: (question: VouchingRecords.Question, isGood: Bool, asked: ContinuousClock.Instant)?
        var lastFailed: ContinuousClock.Instant?
    }

    private struct World {
        var random: SplitMix
        var now = ContinuousClock.now
        var records = VouchingRecords()
        var clients: [Client]
        var isUp = true
        var broken: Set<String> = []
        var seen: Set<String> = []

        init(seed: UInt64) {
            random = SplitMix(seed: seed)
            clients = (0..<VouchingPropertyTests.clients).map {
                Client(digest: .init(high: 7, low: UInt64($0)))
            }
        }

        mutating func step() {
            let pause: [Double] = [0, 0.5, 4, 11, 40, 200, 400, 7_000, 30_000]
            let longest = Int.random(in: 1...pause.count, using: &random)
            now += .seconds(pause[Int.random(in: 0..<longest, using: &random)])
            // The caller of the records has a limit of its own, shorter than theirs.
            for client in clients.indices { answer(client, isOverdue: true) }
            let client = clients.indices.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<20, using: &random) {
            case 0: isUp.toggle()
            case 1: clients[client].revokedSince = clients[client].revokedSince == nil ? now : nil
            case 2: revoke(client)
            case 3...7: answer(client, isOverdue: false)
            default: look(client)
            }
        }

        mutating func revoke(_ client: Int) {
            guard clients[client].revokedSince != nil else { return }
            records.revoke(clients[client].digest, at: now)
            clients[client].vouched = nil
            clients[client].pending = nil
            clients[client].unreachable = nil
            seen.insert("revoked")
        }

        mutating func answer(_ client: Int, isOverdue: Bool) {
            guard let pending = clients[client].pending,
                !isOverdue || pending.asked.duration(to: now) >= .seconds(10)
            else { return }
            clients[client].pending = nil
            if isOverdue || !isUp {
                records.learned(.unreachable, to: pending.question, at: now)
                clients[client].unreachable = now
                clients[client].lastFailed = now
            } else {
                records.learned(
                    pending.isGood ? .listed(["claude"]) : .refused,
                    to: pending.question,
                    at: now
                )
                clients[client].vouched = pending.isGood ? pending.asked : nil
                clients[client].unreachable = nil
                clients[client].lastFailed = nil
            }
        }

        mutating func look(_ client: Int) {
            let answer = records.lookUp(clients[client].digest, model: "claude", at: now)
            switch answer {
            case .yes, .yesButRenew: checkYes(client)
            case .wait:
                seen.insert("wait")
                if clients[client].pending == nil { broken.insert("waits for nobody") }
            case .ask, .no: seen.insert("refused or asked")
            }
            if let question = answer.question { put(question, for: client) }
        }

        mutating func checkYes(_ client: Int) {
            let client = clients[client]
            guard let vouched = client.vouched else { broken.insert("yes without a yes"); return }
            let isDuringOutage = client.unreachable.map { $0.duration(to: now) < .seconds(300) } ?? false
            seen.insert(isDuringOutage ? "yes during an outage" : "yes")
            if vouched.duration(to: now) >= .seconds(86_400) { broken.insert("yes after a day") }
            if !isDuringOutage, vouched.duration(to: now) >= .seconds(300) { broken.insert("stale yes") }
            if !isDuringOutage, let revoked = client.revokedSince, revoked.duration(to: now) >= .seconds(300)
            {
                broken.insert("yes for a key that was revoked 300 s ago")
            }
        }

        mutating func put(_ question: VouchingRecords.Question, for client: Int) {
            if clients[client].pending != nil { broken.insert("two questions at a time") }
            if let failed = clients[client].lastFailed, failed.duration(to: now) < .seconds(5) {
                broken.insert("asks again too soon")
            }
            clients[client].pending = (question, clients[client].revokedSince == nil, now)
        }
    }
}
