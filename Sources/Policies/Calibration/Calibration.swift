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
    public private(set) var errors: [Subject: CountError] = [:]
    /// By model and way of counting, where it is not 1.
    public private(set) var factors: [Subject: Double] = [:]

    public init(capacity: Int = 512) {
        self.capacity = capacity
    }

    /// Takes an answer into account.
    ///
    /// - Parameters:
    ///   - reported: the prompt's tokens as the provider counted.
    ///   - counted: those that were counted here, unscaled.
    public mutating func note(reported: Int, counted: Int, of subject: Subject) {
        guard let ratio = subject.ratio(reported: reported, counted: counted) else { return }
        guard let place = place(of: subject) else { return }
        // Looking a subject up hashes three texts, which costs more than all the rest.
        errors.values[place].note(ratio)
        let factor = errors.values[place].factor
        guard factor != 1 || !factors.isEmpty else { return }
        if factor != factors[subject] ?? 1 { factors[subject] = factor == 1 ? nil : factor }
    }

    private mutating func place(of subject: Subject) -> Dictionary<Subject, CountError>.Index? {
        if let place = errors.index(forKey: subject) { return place }
        guard errors.count < capacity else { return nil }
        errors[subject] = CountError()
        return errors.index(forKey: subject)
    }
}

extension Calibration.Subject {
    /// Reported tokens for each that was expected; nil where one of them is 0.
    public func ratio(reported: Int, counted: Int) -> Double? {
        guard reported > 0, counted > 0 else { return nil }
        return Double(reported) / (Double(counted) * tokenScale)
    }
}
