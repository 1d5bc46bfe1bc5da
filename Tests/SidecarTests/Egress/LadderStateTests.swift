import Egress
import Policies
import TestSupport
import Testing

@testable import Sidecar

/// A ladder, and what happened to it so far.
struct LadderScene {
    var ladder: LadderState
    var now = ContinuousClock.now

    /// Empty if a link here were wrong; then every test fails.
    static let rungs = ["direct", "socks5://a.example:1080", "socks5://b.example:1080"]
        .compactMap { try? Rung($0) }

    init(cooldown: Int = 15) {
        let settings = CircuitBreaker.Settings(cooldownSeconds: cooldown, maxCooldownSeconds: 60)
        ladder = LadderState(Self.rungs, settings)
    }

    enum Outcome: Sendable {
        case works, blocked, leaves
        case fails(RoadFault)
    }

    /// Opens one connection; the outcomes of the rungs by their places.
    ///
    /// - Returns: the places that were tried.
    mutating func connect(_ outcomes: [Outcome]) -> [Int] {
        var tried: [Rung] = []
        while case .attempt(let rung, let ticket) = ladder.started(after: tried, at: now) {
            tried.append(rung)
            switch outcomes[Self.rungs.firstIndex(of: rung) ?? 0] {
            case .works:
                ladder.worked(rung, ticket, at: now)
                return places(tried)
            case .leaves:
                ladder.abandoned(rung, ticket, at: now)
                return places(tried)
            case .fails(let fault):
                ladder.failed(rung, ticket, by: fault, at: now)
            case .blocked:
                ladder.worked(rung, ticket, at: now)
                ladder.wasBlocked(rung, at: now)
            }
        }
        return places(tried)
    }

    private func places(_ rungs: [Rung]) -> [Int] {
        rungs.compactMap { Self.rungs.firstIndex(of: $0) }
    }

    /// Each rung's breaker in a word.
    var states: [String] { ladder.entries.map { $0.breaker.status(at: now).word } }
}

@Suite("A hop takes the rung that works")
struct LadderStateTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        /// The outcomes of the three rungs, one connection after the other.
        var connections: [[LadderScene.Outcome]]
        /// The rungs that the last of them tried.
        var tried: [Int]
        var states: [String]

        var testDescription: String { when }
    }

    static let rows = [
        Row(
            when: "the first rung works",
            connections: [[.works, .works, .works]],
            tried: [0],
            states: ["closed", "closed", "closed"]
        ),
        Row(
            when: "the first fails, the next is taken and the first left alone",
            connections: [[.fails(.unreachable), .works, .works]],
            tried: [0, 1],
            states: ["open", "closed", "closed"]
        ),
        Row(
            when: "the one that worked is taken first",
            connections: [[.fails(.closed), .fails(.timedOut), .works], [.works, .works, .works]],
            tried: [2],
            states: ["open", "open", "closed"]
        ),
        Row(
            when: "the one that worked fails, and the others are asked in their order",
            connections: [[.fails(.closed), .works, .works], [.works, .fails(.closed), .works]],
            tried: [1, 2],
            states: ["open", "open", "closed"]
        ),
        Row(
            when: "none is left, so those that failed are asked again",
            connections: [
                [.fails(.closed), .fails(.closed), .fails(.closed)], [.fails(.closed), .works, .works],
            ],
            tried: [0, 1],
            states: ["open", "closed", "open"]
        ),
        Row(
            when: "the destination is at fault: the next rung is taken, and no breaker opens",
            connections: [[.fails(.destinationUnreachable), .fails(.originTLS), .works]],
            tried: [0, 1, 2],
            states: ["closed", "closed", "closed"]
        ),
        Row(
            when: "the provider does not serve the place of a rung",
            connections: [[.blocked, .works, .works], [.works, .works, .works]],
            tried: [1],
            states: ["open", "closed", "closed"]
        ),
        Row(
            when: "whoever wanted it has left: nothing is known",
            connections: [[.leaves, .works, .works]],
            tried: [0],
            states: ["closed", "closed", "closed"]
        ),
    ]

    @Test("rung after rung", arguments: rows)
    func connects(_ row: Row) {
        var scene = LadderScene()
        var tried: [Int] = []

        for outcomes in row.connections { tried = scene.connect(outcomes) }

        #expect(tried == row.tried)
        #expect(scene.states == row.states)
    }

    @Test("a rung whose time is over is tried by one connection; the others go round it")
    func probes() {
        var scene = LadderScene()
        _ = scene.connect([.fails(.closed), .fails(.closed), .fails(.closed)])
        scene.now += .seconds(16)

        let first = scene.ladder.started(after: [], at: scene.now)
        let second = scene.ladder.started(after: [], at: scene.now)

        guard case .attempt(let probed, _) = first, case .attempt(let other, _) = second else {
            Issue.record("no rung was tried")
            return
        }
        #expect(probed == LadderScene.rungs[0])
        #expect(other == LadderScene.rungs[1])
    }

    @Test("a background try is due once the time of a failed rung is over, and once only")
    func background() throws {
        var scene = LadderScene()
        _ = scene.connect([.fails(.closed), .works, .works])
        let failed = LadderScene.rungs[0]

        #expect(scene.ladder.probeFellDue(of: failed, at: scene.now) == nil)
        scene.now += .seconds(16)
        #expect(scene.ladder.probeFellDue(of: LadderScene.rungs[1], at: scene.now) == nil)
        let due = scene.ladder.probeFellDue(of: failed, at: scene.now)
        let ticket = try #require(due)
        #expect(scene.ladder.probeFellDue(of: failed, at: scene.now) == nil)
        scene.ladder.proved(failed, ticket, at: scene.now)
        #expect(scene.states[0] == "closed")
        #expect(scene.ladder.preferred == LadderScene.rungs[1])
    }

    @Test("a reload keeps what is known of the rungs that stay")
    func reloads() {
        var scene = LadderScene()
        _ = scene.connect([.fails(.closed), .works, .works])
        let settings = CircuitBreaker.Settings()

        scene.ladder.reloaded([LadderScene.rungs[2], LadderScene.rungs[0]], settings)

        #expect(scene.ladder.entries.map(\.rung) == [LadderScene.rungs[2], LadderScene.rungs[0]])
        #expect(scene.states == ["closed", "open"])
        #expect(scene.ladder.preferred == nil)
        #expect(scene.ladder.entries[1].lastFault == .closed)
    }

    @Test("a rung is tried once a connection, and one that works is found", arguments: 0..<200)
    func finds(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var scene = LadderScene()

        for _ in 0..<40 {
            let works = (0..<3).map { _ in Bool.random(using: &random) }
            let tried = scene.connect(
                works.map { works in
                    works ? .works : .fails(RoadFault.allCases.randomElement(using: &random) ?? .closed)
                }
            )

            #expect(Set(tried).count == tried.count)
            #expect(tried.dropLast().allSatisfy { !works[$0] })
            #expect(tried.last.map { works[$0] } == works.contains(true) || tried.count == 3)
            scene.now += .seconds(Int.random(in: 0...30, using: &random))
        }
    }
}
