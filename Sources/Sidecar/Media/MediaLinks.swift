internal import ObjectStore

/// The addresses that answers link to: `<publicURL>/media/SHA.EXT`.
extension MediaSettings {
    /// - Returns: nil without a public address.
    func link(to name: ObjectName) -> String? {
        links?.url(for: name)
    }

    /// The image that an address of ours names: the store's own, or a link of an answer.
    ///
    /// - Parameter library: nil where none is open; then signed URLs of a folder are not known.
    func objectName(ofOwnAddress address: String, _ library: MediaLibrary?) -> ObjectName? {
        if let name = links?.objectName(ofOwnURL: address) { return name }
        if let library { return library.store.objectName(ofOwnURL: address) }
        guard case .s3(let bucket) = store else { return nil }
        return bucket.location.objectName(ofOwnURL: address)
    }

    private var links: PublicLinks? { publicURL.flatMap { PublicLinks(base: $0) } }
}
