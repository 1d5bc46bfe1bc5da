/// An address that others are made from by adding to its path.
struct WebBase: Hashable, Sendable {
    let origin: WebOrigin
    /// Empty or `/x`, never with a slash at the end.
    private let path: String

    init(origin: WebOrigin, path: String = "") {
        self.origin = origin
        self.path = path
    }

    /// Reads `https://host[:port][/path]`; slashes at the end are cut off.
    ///
    /// - Returns: nil for everything else, such as a query.
    init?(_ text: String) {
        guard let (origin, path) = WebOrigin.split(text),
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"?#\\".utf8.contains($0) })
        else { return nil }
        let end = path.lastIndex { $0 != "/" }.map { path.index(after: $0) } ?? path.startIndex
        self.init(origin: origin, path: String(path[..<end]))
    }

    /// The address of a path, which begins with a slash.
    func url(_ path: String) -> String {
        origin.text + self.path + path
    }

    /// What an address has behind the base and a folder, without its query.
    ///
    /// An address with a byte that stands in no URL, or with a fragment, is not ours: we write none.
    ///
    /// - Parameter folder: begins and ends with a slash.
    /// - Returns: nil for an address of another origin or folder.
    func rest(of url: String, below folder: String) -> Substring? {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }),
            let (found, rest) = WebOrigin.split(url), found == origin, rest.hasPrefix(path + folder)
        else { return nil }
        return rest.dropFirst(path.utf8.count + folder.utf8.count).prefix { $0 != "?" }
    }
}
