/// How far the counts for one model are from what its provider reports.
///
/// Answers are put into classes by the ratio of the two, so the memory is the same for any number of them. The
/// latest weigh most: at a thousand all classes are halved.
public struct CountError: Equatable, Sendable {
    /// Answers before a factor is drawn from them.
    public static let leastAnswers = 50
    private static let mostAnswers = 1_000
    /// Classes are this wide, and so are the steps of ``factor``: a twentieth.
    private static let classesInOne = 20
    private static let mostFactor = 2

    /// By the ratio, rounded up to a twentieth; the last holds all that are larger.
    private var classes = [Int](repeating: 0, count: mostFactor * classesInOne + 2)
    /// Answers that are remembered.
    public private(set) var answers = 0

    public init() {}

    /// Takes an answer into account.
    ///
    /// - Parameter ratio: reported tokens for each that was expected; what is no positive number is left out.
    public mutating func note(_ ratio: Double) {
        guard ratio > 0, ratio.isFinite else { return }
        let last = classes.count - 1
        // A ratio that is whole twentieths but for rounding belongs to them.
        let place = min(Double(last), (ratio * Double(Self.classesInOne) - 1e-9).rounded(.up))
        classes[Int(place)] += 1
        answers += 1
        if answers >= Self.mostAnswers { halve() }
    }

    /// What expected tokens are to be multiplied with so that 99 of 100 prompts have no more: 1 to 2, in steps of
    /// 0.05.
    ///
    /// One answer never moves it, however odd, and none do before there are ``leastAnswers``.
    public var factor: Double {
        guard answers >= Self.leastAnswers else { return 1 }
        return min(Double(Self.mostFactor), max(1, ratio(exceededByAtMost: max(1, answers / 100))))
    }

    /// The ratio that half the answers exceed, to the next twentieth; nil when there were none.
    public var median: Double? {
        answers == 0 ? nil : ratio(exceededByAtMost: answers / 2)
    }

    /// The lowest class with no more answers above it.
    private func ratio(exceededByAtMost limit: Int) -> Double {
        var above = 0
        var place = classes.count - 1
        while place > 0, above + classes[place] <= limit {
            above += classes[place]
            place -= 1
        }
        return Double(place) / Double(Self.classesInOne)
    }

    private mutating func halve() {
        classes = classes.map { $0 / 2 }
        answers = classes.reduce(0, +)
    }
}
