import Glibc

/// The rules for the host and port of an address (RFC 3986 section 3.2).
enum HostName {
    /// Divides `host[:port]`; the host is checked, the port is not.
    static func split(_ authority: Substring) -> (host: String, port: Substring?)? {
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            let host = String(authority[..<end].dropFirst())
            let rest = authority[end...].dropFirst()
            guard isAddress(host, family: AF_INET6), rest.isEmpty || rest.first == ":" else { return nil }
            return (host, rest.isEmpty ? nil : rest.dropFirst())
        }
        let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first, isName(host) else { return nil }
        return (String(host), parts.count > 1 ? parts[1] : nil)
    }

    /// Nil unless the text is digits only and within 0...65535.
    static func port(_ text: Substring) -> Int? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(text), port <= 65_535
        else { return nil }
        return port
    }

    static func isAddress(_ host: String, family: CInt) -> Bool {
        // in6_addr is the larger of the two.
        var address = in6_addr()
        return inet_pton(family, host, &address) == 1
    }

    /// Whether a text is a name in its strictest spelling (RFC 1035, section 2.3.4), with `_` allowed and without the dot
    /// of the root: nothing in it that another reader might take for something else.
    static func isStrictName(_ host: String) -> Bool {
        guard (1...253).contains(host.utf8.count) else { return false }
        return host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy {
            (1...63).contains($0.count) && $0.allSatisfy(isNameByte)
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// An IPv6 address in its one spelling (RFC 5952); nil for anything else.
    static func canonicalIPv6(_ host: String) -> String? {
        var address = in6_addr()
        guard inet_pton(AF_INET6, host, &address) == 1 else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, &address, &text, socklen_t(text.count)) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A name as resolvers take it; what looks like an IPv4 address must be one.
    private static func isName(_ host: Substring) -> Bool {
        guard (1...253).contains(host.utf8.count), host.first != "-", host.first != "." else { return false }
        let characters = host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || isNameByte($0) }
        let looksNumeric = host.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
        return characters && (!looksNumeric || isAddress(String(host), family: AF_INET))
    }
}
