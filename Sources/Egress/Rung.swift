/// One road out: direct, or by a proxy that a link names.
public struct Rung: Sendable {
    /// nil on the direct road.
    let parsed: ParsedLink?
    /// What makes two rungs the same, and a secret.
    private let link: String

    /// Reads `direct` or a link: `socks5://`, `http://` (CONNECT), `vless://`, `ss://`, in all their spellings.
    ///
    /// - Throws: for everything that is not understood or not supported to the letter. A link is never used in part:
    ///   what it asks for beyond TLS may be what hides the credential.
    public init(_ link: String) throws(LinkProblem) {
        let link = Self.trimmed(link)
        self.link = link
        parsed = link.lowercased() == "direct" ? nil : try Self.parse(link)
    }

    private static func parse(_ link: String) throws(LinkProblem) -> ParsedLink {
        let scheme = try LinkText.split(link).scheme
        guard let kind = Tunnel.kinds.first(where: { $0.schemes.contains(scheme) }) else {
            throw unknownSchemes.contains(scheme)
                ? .unsupported("\(scheme)://")
                : LinkProblem("the scheme is not known; write socks5://, http://, vless://, ss:// or direct")
        }
        return try kind.parse(link)
    }

    /// Schemes of other proxies, so that the message can name them.
    private static let unknownSchemes: Set<String> = [
        "https", "hysteria", "hysteria2", "hy2", "naive+https", "snell", "socks", "socks4", "socks4a", "ssh",
        "ssr",
        "trojan", "tuic", "vmess", "wg", "wireguard",
    ]

    private static func trimmed(_ link: String) -> String {
        let isSpace: (Character) -> Bool = { $0.isWhitespace }
        return String(link.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }

    /// What is spoken to whom: `vless+ws+tls://proxy.example:443`, or `direct`.
    ///
    /// For metrics and logs: one value a rung, and never a credential.
    public var label: String {
        guard let parsed else { return "direct" }
        let host = parsed.proxy.host.contains(":") ? "[\(parsed.proxy.host)]" : parsed.proxy.host
        return "\(parsed.label)://\(host):\(parsed.proxy.port)"
    }

    /// Whether there is no proxy in between.
    public var isDirect: Bool { parsed == nil }
}

/// Rungs are the same if their links are spelled the same.
extension Rung: Hashable {
    public static func == (a: Rung, b: Rung) -> Bool { a.link == b.link }

    public func hash(into hasher: inout Hasher) { hasher.combine(link) }
}

/// Nothing that prints a rung prints its credential.
extension Rung: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { label }
    public var debugDescription: String { label }
    public var customMirror: Mirror { Mirror(self, children: ["label": label]) }
}
