/// The place of a value in a JSON document (RFC 6901).
struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
    /// Keys and places in lists, from the outside in; none for the whole document.
    private(set) var keys: [String] = []

    func appending(_ key: String) -> Self {
        appending(CollectionOfOne(key))
    }

    func appending(_ index: Int) -> Self {
        appending(String(index))
    }

    func appending(_ keys: some Sequence<String>) -> Self {
        Self(keys: self.keys + keys)
    }

    /// The pointer as it is written; empty for the whole document.
    var description: String {
        keys.map { "/" + $0.replacing("~", with: "~0").replacing("/", with: "~1") }.joined()
    }
}
