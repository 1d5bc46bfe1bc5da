/// `socks5://[user:password@]host:port`.
///
/// `socks5h://` means the same: the proxy always resolves the name.
enum SOCKS5Link {
    static func parse(_ link: String) throws(LinkProblem) -> ParsedLink {
        let text = try LinkText(link)
        try LinkOptions(text).finish()
        let credentials = try LinkCredentials(text.userInfo)
        if let credentials {
            // RFC 1929 counts each with one byte and allows neither to be empty.
            guard (1...255).contains(credentials.user.utf8.count),
                (1...255).contains(credentials.password.utf8.count)
            else { throw LinkProblem("SOCKS5 needs a user and a password of 1 to 255 bytes each") }
        }
        let proxy = Destination(host: text.host, port: text.port)
        return ParsedLink(proxy: proxy, label: "socks5", layers: [SOCKS5Layer(credentials: credentials)])
    }
}

/// SOCKS5 with the credentials of a link.
struct SOCKS5Layer: TunnelLayer {
    let credentials: LinkCredentials?

    func state(for destination: Destination) throws(RoadFault) -> any TunnelState {
        try SOCKS5State(destination, credentials: credentials)
    }
}
