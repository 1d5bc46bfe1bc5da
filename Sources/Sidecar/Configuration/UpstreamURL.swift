/// The address of an upstream, in the parts that a connection and a request line need.
struct UpstreamURL: Hashable, Sendable {
    var isTLS: Bool
    /// A name or an IP address, an IPv6 address without its brackets.
    var host: String
    var port: Int
    /// Empty or `/x`, never with a slash at the end; it stands before every path that is asked for.
    var pathPrefix: String

    /// Why a text is not the address of an upstream.
    enum Failure: Error, Equatable {
        case scheme, userInfo, query, host, port, path
    }

    init(isTLS: Bool, host: String, port: Int, pathPrefix: String = "") {
        self.isTLS = isTLS
        self.host = host
        self.port = port
        self.pathPrefix = pathPrefix
    }

    /// Reads `http://host[:port][/path]` or the same with `https`, as RFC 3986 section 3 divides it.
    init(_ text: String) throws(Failure) {
        let lowercased = text.prefix("https://".count).lowercased()
        guard lowercased.hasPrefix("http://") || lowercased == "https://" else { throw .scheme }
        isTLS = lowercased == "https://"
        let rest = text.dropFirst(isTLS ? "https://".count : "http://".count)
        guard !rest.contains(where: { $0 == "?" || $0 == "#" }) else { throw .query }
        let authority = rest.prefix { $0 != "/" }
        guard !authority.contains("@") else { throw .userInfo }
        guard let (host, port) = HostName.split(authority) else { throw .host }
        self.host = host
        self.port = isTLS ? 443 : 80
        if let port {
            guard let port = HostName.port(port), port > 0 else { throw .port }
            self.port = port
        }
        pathPrefix = try Self.prefix(rest.dropFirst(authority.count))
    }

    private static func prefix(_ path: Substring) throws(Failure) -> String {
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
            throw .path
        }
        var path = path
        while path.last == "/" { path.removeLast() }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard !segments.contains(where: { ["", ".", ".."].contains($0) }) else { throw .path }
        return String(path)
    }
}

extension UpstreamURL.Failure {
    /// Never quotes the text: it may hold a password.
    var problem: String {
        switch self {
        case .scheme: "not an address of an upstream; begin it with http:// or https://"
        case .userInfo: "carries a user or password; leave out what stands before @"
        case .query: "carries a query or fragment; leave out what stands from ? or # on"
        case .host: "names no host; write one such as http://127.0.0.1:4000"
        case .port: "its port is outside 1...65535"
        case .path: "its path is not one that can be put before others; write one such as /proxy"
        }
    }
}
