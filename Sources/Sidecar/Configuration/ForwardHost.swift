internal import Policies

/// A pattern of `egress.forward[].hosts`: a host, which may hold `*` and `?`, and a port.
struct ForwardHost: Equatable, Sendable {
    /// The port of a pattern that names none.
    static let defaultPort = 443

    private let glob: Glob
    let port: Int

    /// Reads `host`, `host:port`, `[address]` or `[address]:port`; nil for anything else.
    init?(_ text: String) {
        let (host, port) = Self.split(text, defaultPort: Self.defaultPort)
        guard let port, !host.isEmpty, host.utf8.allSatisfy(Self.mayStand) else { return nil }
        glob = Glob(Self.normal(host) ?? Self.lowercased(host))
        self.port = port
    }

    /// The host if the pattern fits no other.
    var literal: String? { isLiteral ? glob.pattern : nil }

    var isLiteral: Bool { !glob.pattern.contains { "*?".contains($0) } }

    /// - Parameter host: as ``normal(_:)`` makes it.
    func matches(_ host: String, port: Int) -> Bool {
        port == self.port && glob.matches(host)
    }

    /// Divides `host[:port]`, an IPv6 address in brackets; whether the host is one is not asked.
    ///
    /// - Parameter defaultPort: of a text that names none; nil where it has to.
    static func authority(_ text: String, defaultPort: Int?) -> (host: String, port: Int)? {
        let (host, port) = split(text, defaultPort: defaultPort)
        guard let port, !host.isEmpty else { return nil }
        return (host, port)
    }

    /// A host in the one spelling that is compared and sent on; nil for what is neither a name nor an address.
    ///
    /// Lower case, without the dot of the root (RFC 1034, section 3.1).
    static func normal(_ host: String) -> String? {
        guard host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let host = lowercased(host.hasSuffix(".") ? String(host.dropLast()) : host)
        return HostName.isStrictName(host) ? host : HostName.canonicalIPv6(host)
    }

    /// Of ASCII alone: Unicode has other letters with the same small one.
    private static func lowercased(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// The port is nil where it is none.
    private static func split(_ text: String, defaultPort: Int?) -> (host: String, port: Int?) {
        var host = Substring(text)
        var rest = Substring()
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return ("", nil) }
            host = text[..<end].dropFirst()
            guard HostName.canonicalIPv6(String(host)) != nil else { return ("", nil) }
            rest = text[end...].dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            rest = text[colon...]
        }
        if rest.isEmpty { return (String(host), defaultPort) }
        let port = rest.first == ":" ? HostName.port(rest.dropFirst()) : nil
        return (String(host), port.flatMap { $0 > 0 ? $0 : nil })
    }

    private static func mayStand(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: ".-_*?:".utf8.contains(byte)
        }
    }
}
