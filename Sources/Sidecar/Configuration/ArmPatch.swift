/// What an arm of an experiment changes of the file.
struct ArmPatch {
    /// What is the same for every arm, as paths of the table of keys.
    ///
    /// It belongs to the process or is shared by all requests, so that requests of two arms cannot differ in it.
    static let fixed = [
        "$schema", "version", "listen", "upstreams", "breaker",
        "media.store", "egress", "experiments", "limits", "log",
    ]

    /// The keys of the file's top level that a patch may hold, in the order of the table.
    static let keys = KeyNode.root.children.map(\.name).filter { !fixed.contains($0) }

    /// Where it stands in the file.
    let place: JSONPointer
    /// The changes that an arm may make; what else was asked for is among ``problems``.
    private(set) var changes: JSONValue = [:]
    private(set) var problems: [ConfigurationError.Problem] = []

    init(_ patch: JSONValue, at place: JSONPointer) {
        self.place = place
        changes = permitted(patch, of: KeyNode.root, at: place)
    }

    /// Looks at keys here, since one that the patch takes away is not in the patched file any more.
    private mutating func permitted(_ patch: JSONValue, of node: KeyNode, at place: JSONPointer) -> JSONValue
    {
        guard case .object = node.row.type, case .object(let keys) = patch else { return patch }
        var permitted: [String: JSONValue] = [:]
        for (key, value) in keys.sorted(by: { $0.key < $1.key }) {
            let place = place.appending(key)
            if Self.fixed.contains(node.row.path.isEmpty ? key : "\(node.row.path).\(key)") {
                let others = Self.keys.joined(separator: ", ")
                problems.append(
                    .init(place, "the same for every arm; remove it: a patch may change \(others)")
                )
            } else if let child = node.child(key) {
                permitted[key] = self.permitted(value, of: child, at: place)
            } else if node.children.isEmpty {
                permitted[key] = value
            } else {
                let known = node.row.path.isEmpty ? Self.keys : node.children.map(\.name)
                problems.append(.init(place, KeyCheck.unknown(key, among: known)))
            }
        }
        return .object(permitted)
    }

    /// A problem of the patched file as one of this patch; nil where the patch has no part in it.
    ///
    /// - Parameter others: what is wrong without the patch.
    func own(_ problem: ConfigurationError.Problem, besides others: [ConfigurationError.Problem])
        -> ConfigurationError.Problem?
    {
        guard case .value(let pointer) = problem.place else { return nil }
        let shared = changes.reach(of: pointer.keys[...])
        if shared == pointer.keys.count { return .init(place.appending(pointer.keys), problem.text) }
        guard !others.contains(problem) else { return nil }
        return .init(
            place.appending(pointer.keys.prefix(shared)),
            "makes \(pointer) wrong: \(problem.text)"
        )
    }
}

extension JSONValue {
    /// How many of a pointer's keys lead through this patch; all where the patch says what stands there.
    fileprivate func reach(of keys: ArraySlice<String>) -> Int {
        guard let key = keys.first, case .object(let object) = self else { return keys.count }
        guard let value = object[key] else { return 0 }
        return 1 + value.reach(of: keys.dropFirst())
    }
}
