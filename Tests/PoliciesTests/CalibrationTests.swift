import Policies
import TestSupport
import Testing

@Suite("A model's token scale follows what its provider reports")
struct CountErrorTests {
    private func error(_ ratios: [Double]) -> CountError {
        ratios.reduce(into: CountError()) { $0.note($1) }
    }

    @Test(
        "in steps of a twentieth, from 1 to 2",
        arguments: [
            (0.2, 1), (0.99, 1), (1, 1), (1.001, 1.05), (1.05, 1.05), (1.12, 1.15), (1.3, 1.3), (1.97, 2),
            (2.5, 2),
            (80, 2),
        ]
    )
    func steps(ratio: Double, factor: Double) {
        #expect(error(Array(repeating: ratio, count: CountError.leastAnswers)).factor == factor)
    }

    @Test("not before there are enough answers")
    func tooFew() {
        let few = error(Array(repeating: 1.3, count: CountError.leastAnswers - 1))

        #expect(few.factor == 1)
        #expect(few.median == 1.3)
        #expect(CountError().median == nil)
    }

    @Test("one odd answer moves nothing, wherever it comes", arguments: [0, 25, 49])
    func oneOdd(place: Int) {
        var ratios = Array(repeating: 1.04, count: CountError.leastAnswers)
        ratios[place] = 1e9

        #expect(error(ratios).factor == 1.05)
    }

    @Test("the 99th percentile counts, not the most", arguments: 0..<20 as Range<UInt64>)
    func percentile(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let ratios = (0..<600).map { _ in Double.random(in: 0.5...1.8, using: &random) }

        let factor = error(ratios).factor

        let exceeding = ratios.count { $0 > factor }
        #expect(exceeding <= 6)
        #expect(ratios.count { $0 > factor - 0.05 } > 6, "no lower step would do")
    }

    @Test("numbers that are none are left out", arguments: [0, -1, .nan, .infinity] as [Double])
    func odd(ratio: Double) {
        #expect(error([ratio]).answers == 0)
    }

    @Test("what is long past is forgotten, and the memory stays the same")
    func forgetting() {
        var error = error(Array(repeating: 1.5, count: 900))
        #expect(error.factor == 1.5)

        for _ in 0..<8_000 { error.note(1) }

        #expect(error.factor == 1)
        #expect(error.answers < 1_000)
    }
}

@Suite("What is learned of the counts changes a model's window, where it is asked for")
struct CalibrationTests {
    private static let model = "claude-4"
    private static let facts = RequestFacts(model: model)

    private func rule(calibrates: Bool) -> ModelRule {
        ModelRule(match: [Glob("claude*")], tokenScale: 1.25, calibrates: calibrates, contextTokens: 200_000)
    }

    private func window(calibrates: Bool, _ calibration: Calibration) -> Int? {
        let settings = PolicySettings(
            models: [rule(calibrates: calibrates)],
            routes: [Route(name: "all", when: Condition(), chain: [.requested])]
        )
        let made = plan(Self.facts, settings: settings, upstream: "litellm", factors: calibration.factors)
        return made.attempts.first?.window?.tokens
    }

    private func calibrated(_ subject: Calibration.Subject, reported: Int) -> Calibration {
        var calibration = Calibration()
        guard let place = calibration.place(of: subject),
            let ratio = subject.ratio(reported: reported, counted: 800)
        else { return calibration }
        for _ in 0..<60 { calibration.note(ratio, at: place) }
        return calibration
    }

    @Test("the factor divides the window")
    func divides() {
        let learned = calibrated(rule(calibrates: true).calibrationSubject(for: Self.model), reported: 1_250)

        #expect(window(calibrates: true, Calibration()) == 160_000)
        #expect(window(calibrates: true, learned) == 128_000)
        #expect(window(calibrates: false, learned) == 160_000)
    }

    @Test("another scale, encoding or model starts from nothing")
    func subjects() {
        let subject = rule(calibrates: true).calibrationSubject(for: Self.model)
        for change: WritableKeyPath<Calibration.Subject, String> in [
            \.model, \.counting.encoding, \.counting.images,
        ] {
            var other = subject
            other[keyPath: change] = "other"
            #expect(window(calibrates: true, calibrated(other, reported: 1_250)) == 160_000)
        }
        var other = subject
        other.tokenScale = 1.3
        #expect(window(calibrates: true, calibrated(other, reported: 1_250)) == 160_000)
    }

    @Test("the number of models is bounded")
    func bounded() {
        var calibration = Calibration(capacity: 8)
        for number in 0..<100 {
            var subject = rule(calibrates: true).calibrationSubject(for: Self.model)
            subject.model += "-\(number)"
            calibration.place(of: subject).map { calibration.note(1, at: $0) }
        }

        #expect(calibration.errors.count == 8)
    }

    @Test(
        "an answer that reports nothing, or was not counted, teaches nothing",
        arguments: [(0, 10), (10, 0)]
    )
    func nothing(reported: Int, counted: Int) {
        let subject = rule(calibrates: true).calibrationSubject(for: Self.model)

        #expect(subject.ratio(reported: reported, counted: counted) == nil)
    }
}
