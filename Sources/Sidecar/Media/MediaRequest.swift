internal import ObjectStore

/// What is asked for below `/media/` on the gateway.
enum MediaRequest: Equatable {
    /// An image by its name, which nobody can guess: what the links in answers say, for ever.
    case link(ObjectName)
    /// A URL that the embedded store has signed; its query tells whether it did.
    case signed(target: String)
    /// Nothing that was ever handed out.
    case unknown

    static let folder = "/media/"

    /// - Parameter target: of the request line: a path and perhaps a query.
    /// - Returns: nil for a path elsewhere.
    init?(target: String) {
        guard target.hasPrefix(Self.folder) else { return nil }
        if target.hasPrefix(Self.folder + "signed/") {
            self = .signed(target: target)
            return
        }
        let name = target.dropFirst(Self.folder.count).prefix { $0 != "?" }
        self = ObjectName(fileName: name).map { .link($0) } ?? .unknown
    }
}
