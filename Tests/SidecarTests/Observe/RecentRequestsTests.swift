import NIOCore
import Testing
import Wire

@testable import Policies
@testable import Sidecar

@Suite("The newest requests are kept")
struct RecentRequestsTests {
    private func record(_ id: String) -> RequestRecord {
        RequestRecord(
            id: id,
            traceID: "trace",
            listener: ListenerIdentity(.gateway),
            dialect: .openAIChat,
            started: .uptimeNanoseconds(1_000_000)
        )
    }

    private func request(_ number: Int) -> RecentRequest {
        RecentRequest(record("\(number)"), time: Double(number), ended: .uptimeNanoseconds(2_000_000))
    }

    @Test("a hundred, in the order in which they ended", arguments: [0, 1, 99, 100, 101, 250])
    func bounded(count: Int) {
        var kept = RecentRequests()
        for number in 0..<count { kept.keep(request(number)) }

        #expect(kept.oldestFirst.map(\.id) == (max(0, count - 100)..<count).map(String.init))
    }

    @Test("of several loops the newest of all, newest first", arguments: [1, 2, 3, 8])
    func merged(loops: Int) {
        var kept = Array(repeating: RecentRequests(), count: loops)
        for number in 0..<450 { kept[number * number % loops].keep(request(number)) }

        let newest = RecentRequests.newest(of: kept.map(\.oldestFirst))
        #expect(newest.map(\.id) == (350..<450).reversed().map(String.init))
    }

    @Test("long names are shortened, at the end of a scalar")
    func shortened() {
        let record = record("id")
        // 3 bytes each: 200 is in the middle of one.
        let name = String(repeating: "あ", count: 1000)
        record.requestedModel = name
        record.model = String(repeating: "m", count: 200)
        record.plan = Plan(route: nil, Attempt(target: Target(model: name, upstream: "u"), isForeign: false))
        record.outcomes = [.init(target: Target(model: name, upstream: "u"), result: "ok")]

        let kept = RecentRequest(record, ended: .uptimeNanoseconds(2_000_000))
        let short = String(repeating: "あ", count: 66) + "…"
        #expect(kept.requestedModel == short && kept.model == record.model)
        #expect(kept.plan.map(\.target.model) == [short] && kept.outcomes.map(\.target.model) == [short])
    }

    @Test("of a receipt the figures stay, not its lines")
    func clip() throws {
        let record = record("id")
        record.clip = ClipReceipt(dropped: 7, kept: 3, before: 90, after: 40, budget: 50)
        let kept = RecentRequest(record, ended: .uptimeNanoseconds(4_500_000))

        let clip = try #require(kept.clip)
        #expect(clip.dropped == 7 && clip.kept == 3)
        #expect(clip.before == 90 && clip.after == 40 && clip.budget == 50)
        #expect(kept.hasReceipt && kept.duration == .nanoseconds(3_500_000))
    }
}
