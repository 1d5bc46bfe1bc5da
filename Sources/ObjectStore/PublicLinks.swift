/// The links to stored images that stand in answers: they carry no signature and never expire.
///
/// A link is `<base>/media/<name>`. Whoever has it may see the image: a name cannot be guessed without the image. The
/// gateway answers it with the image, or with a redirect to a signed URL.
public struct PublicLinks: Hashable, Sendable {
    private let base: WebBase

    /// Links below an address of the gateway.
    ///
    /// - Parameter base: such as `https://ai.example.org`; a path is allowed, a query is not.
    /// - Returns: nil when the base is not such an address.
    public init?(base: String) {
        guard let base = WebBase(base) else { return nil }
        self.base = base
    }

    /// The link to an object.
    public func url(for name: ObjectName) -> String {
        base.url(Self.folder + name.fileName)
    }

    /// The object that a link names, whatever query it has.
    ///
    /// - Returns: nil for everything else.
    public func objectName(ofOwnURL url: String) -> ObjectName? {
        base.rest(of: url, below: Self.folder).flatMap { ObjectName(fileName: $0) }
    }

    /// The object that a request to the gateway asks for.
    ///
    /// - Parameter target: as in the request line; without the path of the base.
    /// - Returns: nil for everything else, such as a query.
    public static func objectName(ofTarget target: String) -> ObjectName? {
        let name = ObjectName(fileName: target.dropFirst(folder.count))
        // Compared as bytes: as characters a slash and a combining mark are one.
        return name.flatMap { (folder + $0.fileName).utf8.elementsEqual(target.utf8) ? $0 : nil }
    }

    private static let folder = "/media/"
}
