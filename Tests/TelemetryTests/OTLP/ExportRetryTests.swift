import Testing

@testable import Telemetry

@Suite("A batch is sent again where that may help")
struct ExportRetryTests {
    static let statuses: [(status: Int, mayHelp: Bool)] = [
        (400, false), (401, false), (404, false), (413, false), (429, true), (500, false), (501, false),
        (502, true), (503, true), (504, true), (302, false),
    ]

    @Test("after the statuses that OTLP names", arguments: statuses)
    func again(status: Int, mayHelp: Bool) {
        var retry = ExportRetry()

        let action = retry.ended(.refused(status: status, retryAfter: nil), chance: 0)

        #expect(action == (mayHelp ? .again(after: .seconds(1)) : .giveUp))
    }

    @Test("after pauses that double, and five times at most")
    func pauses() {
        var retry = ExportRetry()

        let pauses = (0..<5).map { _ in retry.ended(.unanswered, chance: 0) }

        #expect(pauses == [1, 2, 4, 8].map { .again(after: .seconds($0)) } + [.giveUp])
    }

    @Test("chance takes up to a half of a pause")
    func chance() {
        var retry = ExportRetry()

        let action = retry.ended(.unanswered, chance: 0.5)

        #expect(action == .again(after: .milliseconds(750)))
    }

    @Test("a stated delay is kept, within reason", arguments: [(0, 0), (7, 7), (3600, 30)])
    func stated(seconds: Int, kept: Int) {
        var retry = ExportRetry()

        let action = retry.ended(.refused(status: 429, retryAfter: .seconds(seconds)), chance: 0.9)

        #expect(action == .again(after: .seconds(kept)))
    }

    @Test("never once it was taken")
    func taken() {
        var retry = ExportRetry()

        let action = retry.ended(.taken, chance: 0)

        #expect(action == .done)
    }
}
