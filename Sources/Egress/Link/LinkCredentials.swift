/// User and password of a link.
struct LinkCredentials: Hashable, Sendable {
    let user: String
    let password: String

    /// Reads `user:password`, each percent-encoded.
    ///
    /// - Parameter userInfo: nil where the link has none.
    /// - Returns: nil where there is nothing.
    init?(_ userInfo: String?) throws(LinkProblem) {
        guard let userInfo, !userInfo.isEmpty else { return nil }
        let parts = userInfo.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = PercentDecoding.text(parts[0]),
            let password = parts.count == 2 ? PercentDecoding.text(parts[1]) : ""
        else { throw LinkProblem("user or password is not percent-encoded UTF-8") }
        guard !user.isEmpty else { throw LinkProblem("the user before the password is empty") }
        guard !(user + password).utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw LinkProblem("user or password holds a control character")
        }
        (self.user, self.password) = (user, password)
    }
}
