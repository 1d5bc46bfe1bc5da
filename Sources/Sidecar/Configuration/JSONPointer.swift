/// The place of a value in a JSON document (RFC 6901).
struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
    /// The pointer as it is written; empty for the whole document.
    private(set) var description = ""

    func appending(_ key: String) -> Self {
        var longer = self
        longer.description += "/"
        for scalar in key.unicodeScalars {
            switch scalar {
            case "~": longer.description += "~0"
            case "/": longer.description += "~1"
            default: longer.description.unicodeScalars.append(scalar)
            }
        }
        return longer
    }

    func appending(_ index: Int) -> Self {
        appending(String(index))
    }
}
