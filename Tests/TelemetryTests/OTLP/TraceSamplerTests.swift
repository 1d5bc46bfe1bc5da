import Testing

@testable import Telemetry

@Suite("Traces are kept as OpenTelemetry's samplers keep them")
struct TraceSamplerTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var argument: String?
        /// Without a caller that traces, and with one that does not keep, or keeps.
        var kept: (none: Bool, unsampled: Bool, sampled: Bool)

        var testDescription: String { "\(name) \(argument ?? "")" }
    }

    static let rows = [
        Row(name: "always_on", kept: (true, true, true)),
        Row(name: "always_off", kept: (false, false, false)),
        Row(name: "traceidratio", kept: (true, true, true)),
        Row(name: "traceidratio", argument: "0", kept: (false, false, false)),
        Row(name: "traceidratio", argument: "2", kept: (true, true, true)),
        Row(name: "traceidratio", argument: "half", kept: (true, true, true)),
        Row(name: "parentbased_always_on", kept: (true, false, true)),
        Row(name: "parentbased_always_off", kept: (false, false, true)),
        Row(name: "parentbased_traceidratio", argument: "0.0", kept: (false, false, true)),
        Row(name: "parentbased_traceidratio", argument: "1", kept: (true, false, true)),
    ]

    @Test("by their names", arguments: rows)
    func named(_ row: Row) throws {
        let sampler = try #require(TraceSampler(named: row.name, argument: row.argument))

        for traceLow in [0, 1, UInt64.max / 2, .max] {
            #expect(sampler.keeps(traceLow: traceLow, parent: nil) == row.kept.none)
            #expect(sampler.keeps(traceLow: traceLow, parent: false) == row.kept.unsampled)
            #expect(sampler.keeps(traceLow: traceLow, parent: true) == row.kept.sampled)
        }
    }

    @Test("a share is cut off by the trace's id", arguments: [0.25, 0.5, 0.999])
    func share(_ share: Double) {
        let sampler = TraceSampler(.share(share), followsParent: true)
        let edge = UInt64(share * 0x1p63) << 1

        // Less by more than the number's own precision.
        #expect(sampler.keeps(traceLow: edge - 65_536, parent: nil))
        #expect(!sampler.keeps(traceLow: edge, parent: nil))
    }

    @Test("an unknown name is none", arguments: ["", "jaeger_remote", "ALWAYS_ON"])
    func unknown(name: String) {
        #expect(TraceSampler(named: name, argument: nil) == nil)
    }
}
