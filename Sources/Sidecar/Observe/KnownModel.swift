internal import Policies
internal import Telemetry

/// What a configuration says of a model, found once rather than several times for each of its requests.
///
/// It belongs to an event loop.
final class KnownModel {
    let name: String
    /// Whose rules they are.
    let variant: Variant
    /// Nil when the configuration does not know the model.
    let rule: ModelRule?
    let counting: Counting
    /// What the errors of its counts belong to.
    let subject: Calibration.Subject
    private var calibrationPlace: Int?
    private var labels: Labels?

    private struct Labels {
        let model: Label
        /// By upstream.
        var targets: [(upstream: String, label: Label)] = []
        /// How many models were listed then: the upstream may list this one yet.
        let listedCount: Int
    }

    init(_ name: String, by variant: Variant) {
        self.name = name
        self.variant = variant
        rule = variant.configuration.policies.rule(for: name)
        counting = rule?.counting ?? Counting()
        subject = (rule ?? ModelRule(match: [])).calibrationSubject(for: name)
    }

    /// Where the errors of its counts are kept; nil for models that no rule knows, and where there is no room.
    ///
    /// To be asked once there is an error: a place is for good, and clients may invent names.
    func calibrationPlace(in calibration: CalibrationMemory) -> Int? {
        guard rule != nil else { return nil }
        calibrationPlace = calibrationPlace ?? calibration.place(of: subject)
        return calibrationPlace
    }

    fileprivate func `is`(_ name: String, of variant: Variant) -> Bool {
        self.variant === variant && self.name == name
    }

    func label(in snapshot: Snapshot) -> Label {
        if let labels, labels.listedCount == snapshot.listedCount { return labels.model }
        // Read before the label: what is listed in between is seen the next time.
        let listedCount = snapshot.listedCount
        let label = snapshot.label(ofModel: name)
        labels = Labels(model: label, listedCount: listedCount)
        return label
    }

    /// The label of the model at an upstream.
    func label(at upstream: String, in snapshot: Snapshot) -> Label {
        if label(in: snapshot) == .other { return .other }
        if let known = labels?.targets.first(where: { $0.upstream == upstream }) { return known.label }
        let label = snapshot.label(of: Target(model: name, upstream: upstream))
        labels?.targets.append((upstream, label))
        return label
    }
}

@available(*, unavailable)
extension KnownModel: Sendable {}

/// The models that were asked last.
struct KnownModels {
    private static let most = 32

    private var slots = [KnownModel?](repeating: nil, count: most)
    /// A request asks for its model several times.
    private var latest: KnownModel?

    /// - Complexity: O(1) for one of a few models; those that share a slot with another are looked up anew.
    mutating func model(_ name: String, of variant: Variant) -> KnownModel {
        if let latest, latest.is(name, of: variant) { return latest }
        let slot = Self.slot(of: name, variant)
        let known = slots[slot].flatMap { $0.is(name, of: variant) ? $0 : nil }
        let found = known ?? KnownModel(name, by: variant)
        slots[slot] = found
        latest = found
        return found
    }

    /// Of the length and both ends: models of one provider begin alike, and versions end so.
    private static func slot(of name: String, _ variant: Variant) -> Int {
        let utf8 = name.utf8
        let ends = Int(utf8.first ?? 0) &* 5 &+ Int(utf8.last ?? 0)
        return (utf8.count &* 3 &+ ends &+ Int(bitPattern: ObjectIdentifier(variant)) >> 5) & (most - 1)
    }
}
