internal import ObjectStore

/// The addresses that answers link to: `<publicURL>/media/SHA.EXT`.
extension MediaSettings {
    /// - Returns: nil without a public address.
    func link(to name: ObjectName) -> String? {
        publicURL.map { $0 + MediaRequest.folder + name.fileName }
    }

    /// The image that an address of ours names: the store's own, or a link of an answer.
    ///
    /// - Parameter library: nil where none is open; then signed URLs of a folder are not known.
    func objectName(ofOwnAddress address: String, _ library: MediaLibrary?) -> ObjectName? {
        if let name = objectName(ofLink: address) { return name }
        if let library { return library.store.objectName(ofOwnURL: address) }
        guard case .s3(let bucket) = store else { return nil }
        return bucket.location.objectName(ofOwnURL: address)
    }

    /// The image that a link of an answer names; nil for any other address.
    func objectName(ofLink address: String) -> ObjectName? {
        guard let publicURL, address.hasPrefix(publicURL + MediaRequest.folder) else { return nil }
        return ObjectName(fileName: address.dropFirst(publicURL.count + MediaRequest.folder.count))
    }
}
