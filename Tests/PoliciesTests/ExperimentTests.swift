import Testing

@testable import Policies

@Suite("An arm is drawn by chance, and for good")
struct ExperimentDrawTests {
    typealias Arm = Experiment.Arm

    static let halves = [Arm(name: "control", weight: 50), Arm(name: "tight", weight: 50)]
    static let thirds = [
        Arm(name: "control", weight: 60), Arm(name: "tight", weight: 30), Arm(name: "wide", weight: 10),
    ]

    /// The digest of `conversation-0`, `conversation-1` and so on.
    static let conversations = (0..<10_000).map { number in
        var hasher = StableHasher()
        hasher.combine("conversation-\(number)")
        return hasher.finalize()
    }

    /// What a program of its own in another language draws, with logarithms and quotients in floating point and a
    /// SipHash checked against OpenSSL: how many are in each arm, and the digest of all 10,000 places on end.
    static let known: [(experiment: String, arms: [Arm], counts: [Int], digest: String)] = [
        ("clip-24k", halves, [4_998, 5_002], "ca4d3fad548b9e00fd8f8923903868ab"),
        ("window", thirds, [5_913, 3_023, 1_064], "bde3013db9baf8260e7319aa3d05d86f"),
    ]

    @Test("each arm gets its share, and another process draws the same", arguments: known)
    func knownArms(experiment: String, arms: [Arm], counts: [Int], digest: String) {
        let draws = Self.draws(experiment, arms, Self.conversations)

        var hasher = StableHasher()
        hasher.combine(draws.map(String.init).joined())
        #expect(arms.indices.map { place in draws.count { $0 == place } } == counts)
        #expect(hasher.finalize().hexadecimal == digest)
        for (arm, count) in zip(arms, counts) {
            #expect(abs(count - arm.weight * 100) <= 200, "within two in a hundred")
        }
    }

    @Test("a small weight beside a large one is drawn about as often as it says")
    func smallShare() {
        let arms = [Arm(name: "a", weight: 1), Arm(name: "b", weight: 199)]
        let draws = Self.draws("shares", arms, Self.conversations)

        #expect((30...70).contains(draws.count { $0 == 0 }))
    }

    @Test("one experiment's draw says nothing about another's")
    func independent() {
        let pairs = zip(Self.draws("first", Self.halves), Self.draws("second", Self.halves))

        #expect((450...550).contains(pairs.count { $0 == 0 && $1 == 0 }))
    }

    struct Change: Sendable, CustomTestStringConvertible {
        var what: String
        var before: [Arm]
        var after: [Arm]
        /// The arm that every move has at one end, by its name: where it grew, moves go to it.
        var changed: String
        var grew: Bool
        var largestShare: Double
        var conversations = 2_000

        var testDescription: String { what }
    }

    static let changes = [
        Change(
            what: "50/50 to 60/40",
            before: halves,
            after: [Arm(name: "control", weight: 60), Arm(name: "tight", weight: 40)],
            changed: "control",
            grew: true,
            largestShare: 0.11,
            conversations: 10_000
        ),
        Change(
            what: "one weight of three grows",
            before: thirds,
            after: [thirds[0], Arm(name: "tight", weight: 50), thirds[2]],
            changed: "tight",
            grew: true,
            // 50/120 - 30/100
            largestShare: 0.13
        ),
        Change(
            what: "one weight of three shrinks",
            before: thirds,
            after: [Arm(name: "control", weight: 20), thirds[1], thirds[2]],
            changed: "control",
            grew: false,
            // 60/100 - 20/60
            largestShare: 0.28
        ),
        Change(
            what: "an arm is added",
            before: halves,
            after: [Arm(name: "wide", weight: 25)] + halves,
            changed: "wide",
            grew: true,
            largestShare: 0.21
        ),
        Change(
            what: "an arm is switched off",
            before: thirds,
            after: [thirds[0], thirds[1], Arm(name: "wide", weight: 0)],
            changed: "wide",
            grew: false,
            largestShare: 0.11
        ),
        Change(
            what: "the arms are written in another order",
            before: thirds,
            after: thirds.reversed(),
            changed: "none",
            grew: false,
            largestShare: 0
        ),
        Change(
            what: "all weights are doubled",
            before: thirds,
            after: thirds.map { Arm(name: $0.name, weight: $0.weight * 2) },
            changed: "none",
            grew: false,
            largestShare: 0
        ),
    ]

    @Test("a change moves only as many as it must", arguments: changes)
    func moves(_ change: Change) {
        let conversations = Self.conversations.prefix(change.conversations)
        let before = Self.draws("window", change.before, conversations).map { change.before[$0].name }
        let after = Self.draws("window", change.after, conversations).map { change.after[$0].name }

        let moved = zip(before, after).filter { $0 != $1 }
        #expect(moved.allSatisfy { (change.grew ? $1 : $0) == change.changed })
        #expect(Double(moved.count) / Double(before.count) <= change.largestShare)
        #expect((moved.count > 0) == (change.largestShare > 0))
    }

    @Test("an arm of weight 0 is never drawn")
    func weightZero() {
        let arms = [Arm(name: "off", weight: 0), Arm(name: "on", weight: 1), Arm(name: "out", weight: 0)]

        #expect(Self.draws("window", arms).allSatisfy { $0 == 1 })
    }

    @Test("the largest weights are compared like small ones")
    func largestWeights() {
        let small = [Arm(name: "a", weight: 1), Arm(name: "b", weight: 1)]
        let large = small.map { Arm(name: $0.name, weight: .max) }

        #expect(Self.draws("window", large) == Self.draws("window", small))
    }

    private static func draws(
        _ experiment: String,
        _ arms: [Arm],
        _ units: some Sequence<StableDigest> = conversations.prefix(2_000)
    ) -> [Int] {
        let experiment = Experiment(name: experiment, arms: arms)
        return units.map { experiment.arm(for: $0) }
    }
}

@Suite("An exponential variate is worked out in integers")
struct ExponentialVariateTests {
    static let known: [(uniform: UInt64, variate: UInt64)] = [
        // A half, a quarter, 2⁻⁶³ and 2⁻⁶⁴ have whole logarithms.
        (1 << 63, 1 << 32), (1 << 62, 2 << 32), (2, 63 << 32), (1, 64 << 32),
        // Three quarters: 0.4150374992… × 2³², rounded up since the logarithm's own digits are cut off.
        (3 << 62, 1_782_572_487),
        // Almost 1 has the least of all, which is not 0; 0 counts as the least number above it.
        (.max, 2), (0, 64 << 32),
    ]

    @Test("known logarithms", arguments: known)
    func knownValue(uniform: UInt64, variate: UInt64) {
        #expect(exponentialVariate(of: uniform) == variate)
    }

    @Test("a larger number never has a larger variate", arguments: 0..<64)
    func monotone(zeros: Int) {
        let numbers = (0..<64).map {
            UInt64.max >> UInt64(zeros) &- (UInt64($0) << UInt64(max(0, 57 - zeros)))
        }
        let variates = numbers.sorted().map(exponentialVariate)

        #expect(zip(variates, variates.dropFirst()).allSatisfy { $0 >= $1 })
    }
}
