extension JSONValue {
    /// The document with a JSON Merge Patch applied (RFC 7396, section 2).
    ///
    /// Null takes a key away, an object is merged key by key, anything else stands in place of what was there:
    /// lists are replaced whole.
    func merging(patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var keys: [String: JSONValue] = if case .object(let own) = self { own } else { [:] }
        for (key, change) in changes {
            keys[key] = change == .null ? nil : (keys[key] ?? .null).merging(patch: change)
        }
        return .object(keys)
    }
}
