/// What stands behind the `?` of a link, taken out one by one, so that nothing is overlooked.
struct LinkOptions {
    private var rest: [(name: String, value: String)]

    init(_ link: LinkText) {
        rest = link.query
    }

    /// Takes an option out.
    ///
    /// - Returns: nil where it is missing or empty.
    mutating func take(_ name: String) -> String? {
        guard let place = rest.firstIndex(where: { $0.name == name }) else { return nil }
        return rest.remove(at: place).value
    }

    /// Refuses what is left, unless it changes nothing of what is sent.
    ///
    /// An option that is not known could be what makes the link safe, so that going on without it is no choice.
    func finish() throws(LinkProblem) {
        guard let unknown = rest.first(where: { !Self.harmless.contains($0.name) })?.name else { return }
        // A name of another form may be a credential in the wrong place.
        let isWord = unknown.utf8.count <= 24 && unknown.utf8.allSatisfy { $0 | 0x20 &- 0x61 < 26 }
        throw LinkProblem(
            "the option \(isWord ? unknown : "behind the ?") is not known; remove it if it is not needed"
        )
    }

    /// The fingerprint of a browser's ClientHello (`fp`) is not imitated; early data (`ed`, `eh`) saves a round trip
    /// that servers do not insist on; `packetEncoding` is for UDP; the others name or sort the link.
    private static let harmless: Set<String> = [
        "ed", "eh", "fp", "group", "name", "packetEncoding", "ps", "remark", "remarks", "tag",
    ]
}
