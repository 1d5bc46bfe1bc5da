/// The parts of a link: `scheme://user@host:port/path?query#name`.
///
/// Read by hand and not by RFC 3986: share links hold raw Base64 with slashes before the `@`, and names in any script
/// behind the `#`.
struct LinkText: Sendable {
    /// In lower case.
    let scheme: String
    /// Before the last `@`, still percent-encoded; nil where there is none.
    let userInfo: String?
    /// A name in lower case or an address literal without brackets.
    let host: String
    let port: Int
    /// Names in the order written, and values percent-decoded; those without a value are left out.
    let query: [(name: String, value: String)]

    /// Takes a link apart.
    ///
    /// - Parameter text: without white space around it.
    init(_ text: String) throws(LinkProblem) {
        let (scheme, body, query) = try Self.split(text)
        self.scheme = scheme
        var authority = Substring(body)
        if let at = body.lastIndex(of: "@") {
            userInfo = String(body[..<at])
            authority = body[body.index(after: at)...]
        } else {
            userInfo = nil
        }
        (host, port) = try Self.address(authority.prefix { $0 != "/" })
        self.query = try Self.fields(query)
    }

    /// Cuts off the scheme, the query and the name.
    static func split(_ text: String) throws(LinkProblem) -> (scheme: String, body: String, query: String) {
        guard let colon = text.firstRange(of: "://"), colon.lowerBound > text.startIndex else {
            throw LinkProblem("not a link: write direct, or scheme://…, such as socks5://127.0.0.1:1080")
        }
        // Names may hold spaces.
        let rest = text[colon.upperBound...].prefix { $0 != "#" }
        guard !rest.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
            throw LinkProblem("the link holds white space or a control character; percent-encode it")
        }
        let body = rest.prefix { $0 != "?" }
        let query = rest.dropFirst(body.count + 1)
        return (text[..<colon.lowerBound].lowercased(), String(body), String(query))
    }

    /// Reads `host:port`, IPv6 in brackets.
    static func address(_ text: Substring) throws(LinkProblem) -> (host: String, port: Int) {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]"),
                case .ipv6 = AddressLiteral(String(text[text.index(after: text.startIndex)..<end]))
            else { throw LinkProblem("there is no IPv6 address between the brackets") }
            let host = text[text.index(after: text.startIndex)..<end].lowercased()
            return (host, try port(text[text.index(after: end)...]))
        }
        let host = text.prefix { $0 != ":" }
        guard !text.dropFirst(host.count + 1).contains(":") else {
            throw LinkProblem("too many colons behind the @; put an IPv6 address in brackets")
        }
        guard isName(host) else {
            throw LinkProblem(
                "there is no host where one belongs, or not one of letters, digits, dots and hyphens; "
                    + "percent-encode /, ?, # and @ in a password"
            )
        }
        return (host.lowercased(), try port(text.dropFirst(host.count)))
    }

    private static func isName(_ host: Substring) -> Bool {
        (1...253).contains(host.utf8.count) && host.utf8.allSatisfy { isNameByte($0) }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Reads `:port`.
    private static func port(_ text: Substring) throws(LinkProblem) -> Int {
        guard !text.isEmpty, text != ":" else { throw LinkProblem("the port is missing: write host:port") }
        let digits = text.dropFirst()
        guard text.hasPrefix(":"), digits.utf8.allSatisfy({ $0 &- 0x30 < 10 }), digits.utf8.count <= 5,
            let port = Int(digits), (1...65_535).contains(port)
        else { throw LinkProblem("the port is not a number from 1 to 65535") }
        return port
    }

    private static func fields(_ query: String) throws(LinkProblem) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        for field in query.split(separator: "&") {
            guard let equals = field.firstIndex(of: "=") else { continue }
            let (name, value) = (field[..<equals], field[field.index(after: equals)...])
            guard let value = PercentDecoding.text(value) else {
                throw LinkProblem("a value behind the ? is not percent-encoded UTF-8")
            }
            guard !fields.contains(where: { $0.name == name }) else {
                throw LinkProblem("a name stands twice behind the ?")
            }
            if !value.isEmpty { fields.append((String(name), value)) }
        }
        return fields
    }
}
