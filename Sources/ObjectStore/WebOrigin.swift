/// The scheme, host and port that an address begins with (RFC 6454, section 4).
///
/// Two spellings of one origin are equal: letters in upper case and the scheme's own port make no difference
/// (RFC 3986, section 6.2). Other spellings of an IP address do.
public struct WebOrigin: Hashable, Sendable {
    /// How the host is spoken to.
    public enum Scheme: String, Sendable {
        case http, https

        /// The port of an address that names none.
        public var defaultPort: Int { self == .http ? 80 : 443 }
    }

    /// Without TLS or with it.
    public let scheme: Scheme
    /// In lower case; an IPv6 address with its brackets.
    public let host: String
    /// 1...65,535, also where the address names none.
    public let port: Int

    /// Reads `http://host[:port]` or the same with `https`; one slash may follow.
    ///
    /// - Returns: nil for everything else, such as a path, a user or a query.
    public init?(_ text: String) {
        guard let (origin, rest) = Self.split(text), rest.isEmpty || rest == "/" else { return nil }
        self = origin
    }

    init(scheme: Scheme, host: String, port: Int) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    /// What the Host field says: the port stands there unless it is the scheme's own (RFC 9110, section 4.2).
    public var authority: String {
        port == scheme.defaultPort ? host : "\(host):\(port)"
    }

    /// `https://host[:port]`, without a slash at the end.
    public var text: String {
        "\(scheme.rawValue)://\(authority)"
    }

    /// Divides an address into its origin and what follows, up to the end.
    ///
    /// - Returns: nil for another scheme, a user, a host that is spelled with anything but letters, digits and
    ///   `.-_`, and a port outside 1...65535.
    static func split(_ url: String) -> (origin: WebOrigin, rest: Substring)? {
        guard let separator = url.utf8.firstIndex(of: UInt8(ascii: ":")), url[separator...].hasPrefix("://"),
            let scheme = Scheme(rawValue: url[..<separator].lowercased())
        else { return nil }
        let behind = url.utf8[separator...].dropFirst(3)
        let authority = behind.prefix { !"/?#\\".utf8.contains($0) }
        guard let (host, port) = divide(authority, scheme) else { return nil }
        let origin = WebOrigin(scheme: scheme, host: host, port: port)
        return (origin, url[authority.endIndex...])
    }

    private static func divide(
        _ authority: Substring.UTF8View.SubSequence,
        _ scheme: Scheme
    ) -> (host: String, port: Int)? {
        let isBracketed = authority.first == UInt8(ascii: "[")
        let end =
            isBracketed
            ? authority.firstIndex(of: UInt8(ascii: "]")).map { authority.index(after: $0) }
            : authority.firstIndex(of: UInt8(ascii: ":")) ?? authority.endIndex
        guard let end, let host = host(authority[..<end], isBracketed: isBracketed) else { return nil }
        let behind = authority[end...]
        guard behind.isEmpty || behind.first == UInt8(ascii: ":") else { return nil }
        let digits = behind.dropFirst()
        // A colon alone names no port (RFC 3986, section 3.2.3).
        guard !digits.isEmpty else { return (host, scheme.defaultPort) }
        guard digits.count <= 5, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(Substring(digits)), (1...65_535).contains(port)
        else { return nil }
        return (host, port)
    }

    private static func host(_ bytes: Substring.UTF8View.SubSequence, isBracketed: Bool) -> String? {
        let named = isBracketed ? bytes.dropFirst().dropLast() : bytes
        guard (1...253).contains(named.count),
            named.allSatisfy(isBracketed ? isOfAddress : isOfName),
            !isBracketed || named.contains(UInt8(ascii: ":"))
        else { return nil }
        return Substring(bytes).lowercased()
    }
    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// Of an IPv6 address, which may end like one of IPv4.
    private static func isOfAddress(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        case UInt8(ascii: ":"), UInt8(ascii: "."): true
        default: false
        }
    }
}
