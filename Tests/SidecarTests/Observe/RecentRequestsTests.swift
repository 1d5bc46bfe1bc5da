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

    private func keep(_ number: Int, in kept: inout RecentRequests) {
        kept.keep(record("\(number)"), time: Double(number), ended: .uptimeNanoseconds(2_000_000))
    }

    @Test("a hundred, in the order in which they ended", arguments: [0, 1, 99, 100, 101, 250])
    func bounded(count: Int) {
        var kept = RecentRequests()
        for number in 0..<count { keep(number, in: &kept) }

        #expect(kept.oldestFirst.map(\.id) == (max(0, count - 100)..<count).map(String.init))
    }

    @Test("of several loops the newest of all, newest first", arguments: [1, 2, 3, 8])
    func merged(loops: Int) {
        var kept = Array(repeating: RecentRequests(), count: loops)
        for number in 0..<450 { keep(number, in: &kept[number * number % loops]) }

        let newest = RecentRequests.newest(of: kept.map(\.oldestFirst))
        #expect(newest.map(\.id) == (350..<450).reversed().map(String.init))
    }

    @Test("whoever was cut has a receipt, and the time counts from the start")
    func clip() throws {
        let record = record("id")
        record.clip = ClipFigures(dropped: 7, kept: 3, before: 90, after: 40, budget: 50)
        var kept = RecentRequests()
        kept.keep(record, time: 1, ended: .uptimeNanoseconds(4_500_000))

        let request = try #require(kept.oldestFirst.first)
        #expect(request.clip == record.clip && request.hasReceipt)
        #expect(request.duration == .nanoseconds(3_500_000))
    }
}
