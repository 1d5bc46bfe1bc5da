/// The form that a string must have.
enum TextForm: Sendable {
    case any
    case filled
    /// A name that can be a metric label.
    case name
    /// An HTTP field name (RFC 9110 section 5.1).
    case fieldName
    /// `host:port`.
    case address
    case url
    /// What can stand in an `Authorization` header (RFC 6750 section 2.1 is narrower); empty for none.
    case token
    /// The same, but never empty: an unset variable must not turn into "no credential".
    case credential

    /// What is wrong with a text, or nil; never quotes the text.
    func problem(with text: String) -> String? {
        switch self {
        case .any:
            nil
        case .filled:
            text.isEmpty ? "empty; write something or remove it" : nil
        case .name:
            Self.isName(text)
                ? nil
                : "not a name; write letters, digits, '.', '_' and '-', 64 at most, a letter or digit first"
        case .fieldName:
            Self.isFieldName(text) ? nil : "not the name of a header; write one such as x-team"
        case .address:
            ListenAddress(text) == nil ? "not host:port; write one such as 0.0.0.0:4100 or [::1]:4100" : nil
        case .url:
            Self.urlProblem(text)
        case .token:
            Self.isToken(text)
                ? nil : "cannot stand in a header; write visible ASCII characters without spaces"
        case .credential:
            text.isEmpty ? "empty; set what it is taken from, or remove it" : Self.token.problem(with: text)
        }
    }

    private static func isToken(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { isAlphanumeric($0) || "._-".utf8.contains($0) }
            && text.utf8.first.map(isAlphanumeric) == true
    }

    private static func isFieldName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isAlphanumeric($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func urlProblem(_ text: String) -> String? {
        do throws(UpstreamURL.Failure) {
            _ = try UpstreamURL(text)
            return nil
        } catch {
            return error.problem
        }
    }
}
