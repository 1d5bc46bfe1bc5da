/// What the answers of all models have told about the counts.
///
/// Holds as many models as it was made for; those that come later are not taken in.
public struct Calibration: Sendable {
    /// What an error belongs to: another way of counting starts from nothing.
    public struct Subject: Hashable, Sendable {
        public var model: String
        public var counting: Counting
        public var tokenScale: Double

        public init(model: String, counting: Counting, tokenScale: Double) {
            self.model = model
            self.counting = counting
            self.tokenScale = tokenScale
        }
    }

    private let capacity: Int
    private var entries: [Entry] = []
    private var places: [Subject: Int] = [:]
    /// By model and way of counting, where it is not 1.
    public private(set) var factors: [Subject: Double] = [:]

    private struct Entry {
        let subject: Subject
        var error = CountError()
        var factor = 1.0
    }

    public init(capacity: Int = 512) {
        self.capacity = capacity
    }

    /// All that were heard of.
    public var errors: [(subject: Subject, error: CountError)] {
        entries.lazy.filter { $0.error.answers > 0 }.map { ($0.subject, $0.error) }
    }

    /// Where the errors of a subject are kept, for good; nil where there is no room for another.
    ///
    /// Looking a subject up hashes three texts, which costs more than taking an answer into account.
    public mutating func place(of subject: Subject) -> Int? {
        if let place = places[subject] { return place }
        guard entries.count < capacity else { return nil }
        places[subject] = entries.count
        entries.append(Entry(subject: subject))
        return entries.count - 1
    }

    /// Takes an answer into account.
    ///
    /// - Parameters:
    ///   - ratio: the prompt's tokens as the provider counted for each that was expected.
    ///   - place: of the subject, by ``place(of:)``.
    public mutating func note(_ ratio: Double, at place: Int) {
        entries[place].error.note(ratio)
        let factor = entries[place].error.factor
        guard factor != entries[place].factor else { return }
        entries[place].factor = factor
        factors[entries[place].subject] = factor == 1 ? nil : factor
    }
}

extension Calibration.Subject {
    /// Reported tokens for each that was expected; nil where one of them is 0.
    public func ratio(reported: Int, counted: Int) -> Double? {
        guard reported > 0, counted > 0 else { return nil }
        return Double(reported) / (Double(counted) * tokenScale)
    }
}
