/// `http://[user:password@]host:port`: a proxy that speaks CONNECT.
enum HTTPConnectLink {
    static func parse(_ link: String) throws(LinkProblem) -> ParsedLink {
        let text = try LinkText(link)
        try LinkOptions(text).finish()
        let credentials = try LinkCredentials(text.userInfo)
        guard credentials?.user.contains(":") != true else {
            throw LinkProblem("a user name of HTTP's Basic scheme cannot hold a colon")
        }
        let proxy = Destination(host: text.host, port: text.port)
        return ParsedLink(proxy: proxy, label: "http", layers: [HTTPConnectLayer(credentials: credentials)])
    }
}

/// HTTP CONNECT with the credentials of a link.
struct HTTPConnectLayer: TunnelLayer {
    let credentials: LinkCredentials?

    func state(for destination: Destination) throws(RoadFault) -> any TunnelState {
        try HTTPConnectState(destination, credentials: credentials)
    }
}
