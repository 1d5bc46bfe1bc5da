import Policies
import Testing

@Suite("What is remembered of clients is bounded, and each client's own")
struct VouchingMemoryTests {
    @Test("a late answer to a question that was given up does not count beside the new one")
    func lateAnswer() throws {
        let start = ContinuousClock.now
        let client = StableDigest(high: 1, low: 2)
        var records = VouchingRecords()
        let first = try #require(records.lookUp(client, model: "claude", at: start).question)
        let second = try #require(records.lookUp(client, model: "claude", at: start + .seconds(15)).question)

        records.learned(.listed(["claude"]), to: first, at: start + .seconds(16))
        #expect(records.lookUp(client, model: "claude", at: start + .seconds(16)) == .wait)
        records.learned(.refused, to: second, at: start + .seconds(17))
        records.learned(.listed(["claude"]), to: first, at: start + .seconds(18))

        #expect(records.lookUp(client, model: "claude", at: start + .seconds(18)) == .no)
    }

    @Test("looking whether somebody is vouched for asks nothing")
    func vouchesAsksNothing() {
        let now = ContinuousClock.now
        let client = StableDigest(high: 1, low: 2)
        var records = VouchingRecords()

        #expect(!records.vouches(for: client, model: "claude", at: now))
        #expect(records.count == 0)
        #expect(records.lookUp(client, model: "claude", at: now).question != nil)
    }

    @Test("a question names its client, and clients are apart")
    func clients() throws {
        let now = ContinuousClock.now
        let (one, other) = (StableDigest(high: 1, low: 0), StableDigest(high: 1, low: 1))
        var records = VouchingRecords()
        let question = try #require(records.lookUp(one, model: "claude", at: now).question)

        records.learned(.listed(["claude"]), to: question, at: now)

        #expect(question.client == one)
        #expect(records.lookUp(one, model: "claude", at: now) == .yes)
        #expect(records.lookUp(other, model: "claude", at: now).question != nil)
    }

    @Test("each client has the list that it was given, be it the same as another's or not")
    func lists() throws {
        let now = ContinuousClock.now
        let clients = (0..<60).map { StableDigest(high: UInt64($0), low: 0) }
        var records = VouchingRecords()

        for (number, client) in clients.enumerated() {
            let question = try #require(records.lookUp(client, model: "claude", at: now).question)
            records.learned(.listed(["claude", "m\(number / 3)"]), to: question, at: now)
        }

        for (number, client) in clients.enumerated() {
            let isListed = (0..<20).map { records.lookUp(client, model: "m\($0)", at: now) == .yes }
            #expect(isListed == (0..<20).map { $0 == number / 3 })
        }
    }

    @Test("of a long list the first 4,096 models count")
    func longList() throws {
        let now = ContinuousClock.now
        let client = StableDigest(high: 1, low: 2)
        var records = VouchingRecords()
        let question = try #require(records.lookUp(client, model: "m0", at: now).question)

        records.learned(.listed((0...4_096).map { "m\($0)" }), to: question, at: now)

        #expect((0..<4_096).allSatisfy { records.lookUp(client, model: "m\($0)", at: now) == .yes })
        #expect(records.lookUp(client, model: "m4096", at: now) == .no)
    }

    @Test("at capacity the client that came first is forgotten")
    func capacity() throws {
        let now = ContinuousClock.now
        var records = VouchingRecords(capacity: 3)
        for number in 0..<5 {
            let client = StableDigest(high: UInt64(number), low: 0)
            let question = try #require(records.lookUp(client, model: "claude", at: now).question)
            records.learned(.listed(["claude"]), to: question, at: now)
        }

        #expect(records.count == 3)
        for number in [2, 3, 4] {
            let client = StableDigest(high: UInt64(number), low: 0)
            #expect(records.lookUp(client, model: "claude", at: now) == .yes)
        }
        #expect(records.lookUp(StableDigest(high: 0, low: 0), model: "claude", at: now).question != nil)
    }

    @Test("an answer about a client that was forgotten changes nothing")
    func forgotten() throws {
        let now = ContinuousClock.now
        let client = StableDigest(high: 1, low: 0)
        var records = VouchingRecords(capacity: 1)
        let question = try #require(records.lookUp(client, model: "claude", at: now).question)
        _ = records.lookUp(StableDigest(high: 2, low: 0), model: "claude", at: now)

        records.learned(.listed(["claude"]), to: question, at: now)

        #expect(records.count == 1)
        #expect(!records.vouches(for: client, model: "claude", at: now))
        #expect(records.lookUp(client, model: "claude", at: now).question != nil)
    }

    static let findings: [(status: Int, models: [String]?, finding: VouchingRecords.Finding)] = [
        (200, ["claude"], .listed(["claude"])), (299, [], .listed([])), (200, nil, .refused),
        (302, nil, .refused), (400, nil, .refused), (401, ["claude"], .refused), (403, nil, .refused),
        (429, nil, .refused), (500, nil, .refused), (501, nil, .refused), (502, nil, .unreachable),
        (503, nil, .unreachable), (504, ["claude"], .unreachable), (505, nil, .refused),
    ]

    @Test("only 2xx with a list vouches; gateways' statuses are an outage", arguments: findings)
    func finding(status: Int, models: [String]?, finding: VouchingRecords.Finding) {
        #expect(VouchingRecords.Finding(status: status, models: models) == finding)
    }
}
