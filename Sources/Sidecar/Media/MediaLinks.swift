internal import ObjectStore

/// The addresses that answers link to: `<publicURL>/media/SHA.EXT`.
extension MediaSettings {
    /// - Returns: nil without a public address.
    func link(to name: ObjectName) -> String? {
        publicURL.map { $0 + MediaRequest.folder + name.fileName }
    }

    /// The image that a link of an answer names; nil for any other address.
    func objectName(ofLink address: String) -> ObjectName? {
        guard let publicURL, address.hasPrefix(publicURL + MediaRequest.folder) else { return nil }
        return ObjectName(fileName: address.dropFirst(publicURL.count + MediaRequest.folder.count))
    }
}
