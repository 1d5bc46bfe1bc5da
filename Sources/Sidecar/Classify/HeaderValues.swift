internal import Wire

extension [HeaderField] {
    /// The values of some fields, by lowercased name; of a field that stands there twice, the first.
    ///
    /// - Parameter names: in lower case.
    func values(of names: Set<String>, in head: UnsafeRawBufferPointer) -> [String: String] {
        guard !names.isEmpty else { return [:] }
        return reduce(into: [:]) { found, field in
            let name = String(decoding: head.slice(field.name), as: UTF8.self).lowercased()
            guard names.contains(name), found[name] == nil else { return }
            found[name] = String(decoding: head.slice(field.value), as: UTF8.self)
        }
    }
}
