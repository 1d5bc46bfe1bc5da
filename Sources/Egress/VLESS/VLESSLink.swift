/// `vless://user@host:port?type=&security=&sni=&alpn=&host=&path=&encryption=none#name`.
///
/// The form of XTLS/Xray-core discussion 716. What is read is done to the letter; everything else is refused, since a
/// client that drops `security=reality` sends the user's id in the clear.
enum VLESSLink {
    static func parse(_ link: String) throws(LinkProblem) -> ParsedLink {
        let text = try LinkText(link)
        var options = LinkOptions(text)
        guard let user = text.userInfo.flatMap({ PercentDecoding.text($0) }).flatMap({ VLESSUser($0) }) else {
            throw LinkProblem("the user before the @ is neither a UUID nor a text of 1 to 30 bytes")
        }
        try refuseUnsupported(&options)
        let isWebSocket = try transport(&options)
        let tls = try tls(&options, proxy: text.host, isWebSocket: isWebSocket)
        let webSocket = try webSocket(&options, host: tls?.serverName ?? text.host)
        try options.finish()
        return ParsedLink(
            proxy: Destination(host: text.host, port: text.port),
            label: "vless" + (isWebSocket ? "+ws" : "") + (tls == nil ? "" : "+tls"),
            tls: tls,
            layers: (isWebSocket ? [webSocket] : []) + [VLESSLayer(user: user)]
        )
    }

    /// Options that stand for something which is not spoken here, unless they say no.
    private static func refuseUnsupported(_ options: inout LinkOptions) throws(LinkProblem) {
        for row in refused {
            guard let value = options.take(row.option)?.lowercased(), !row.harmless.contains(value) else {
                continue
            }
            throw .unsupported(row.feature)
        }
        for option in ["allowInsecure", "insecure"] {
            guard let value = options.take(option)?.lowercased(), value != "0", value != "false" else {
                continue
            }
            throw LinkProblem(
                "\(option) is refused: without verification anybody can be the proxy; give the proxy a certificate that "
                    + "is trusted, or name its CA in SIDECAR_EXTRA_CA"
            )
        }
    }

    private static let refused: [(option: String, harmless: Set<String>, feature: String)] = [
        ("flow", ["none"], "flow (XTLS vision)"),
        ("encryption", ["none"], "VLESS encryption other than none"),
        ("headerType", ["none"], "headerType (HTTP disguise)"),
        ("mux", ["0", "false"], "mux"),
        ("pbk", [], "REALITY"),
        ("pqv", [], "REALITY"),
        ("sid", [], "REALITY"),
        ("spx", [], "REALITY"),
        ("ech", [], "ECH"),
        ("pcs", [], "a pinned certificate"),
        ("vcn", [], "a verified name other than sni"),
        ("fm", [], "finalmask"),
    ]

    /// Whether the transport is WebSocket.
    private static func transport(_ options: inout LinkOptions) throws(LinkProblem) -> Bool {
        let type = options.take("type")?.lowercased() ?? "tcp"
        // What gRPC would be called by; sent along by some programs whatever the type.
        _ = options.take("serviceName")
        switch type {
        case "tcp", "raw": return false
        case "ws", "websocket": return true
        case "grpc", "gun", "httpupgrade", "xhttp", "splithttp", "h2", "http", "kcp", "mkcp", "quic",
            "hysteria":
            throw .unsupported("the transport \(type)")
        default: throw LinkProblem("the transport is not known; type is tcp, raw or ws")
        }
    }

    private static func tls(
        _ options: inout LinkOptions,
        proxy: String,
        isWebSocket: Bool
    ) throws(LinkProblem) -> ProxyTLS? {
        let (name, protocols) = (options.take("sni"), options.take("alpn"))
        switch options.take("security")?.lowercased() {
        case nil, "none": return nil
        case "tls": break
        case "reality": throw .unsupported("REALITY")
        case "xtls": throw .unsupported("XTLS")
        default: throw LinkProblem("security is none or tls")
        }
        let serverName = name ?? (AddressLiteral(proxy) == nil ? proxy : nil)
        guard serverName?.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) != false else {
            throw LinkProblem("sni is not a host name")
        }
        // A WebSocket begins as HTTP/1.1, whatever else the link offers.
        guard !isWebSocket else {
            return ProxyTLS(serverName: serverName, applicationProtocols: ["http/1.1"])
        }
        let offered = protocols?.split(separator: ",").map(String.init) ?? []
        guard offered.allSatisfy({ (1...255).contains($0.utf8.count) }) else {
            throw LinkProblem("alpn is a list such as h2,http/1.1")
        }
        return ProxyTLS(serverName: serverName, applicationProtocols: offered)
    }

    private static func webSocket(_ options: inout LinkOptions, host: String) throws(LinkProblem)
        -> WebSocketLayer
    {
        let (named, path) = (options.take("host"), options.take("path"))
        guard let layer = WebSocketLayer(host: named ?? host, path: path ?? "/") else {
            throw LinkProblem("host or path holds characters that no HTTP request can carry")
        }
        return layer
    }
}

/// VLESS with the user of a link.
struct VLESSLayer: TunnelLayer {
    let user: VLESSUser

    func state(for destination: Destination) throws(RoadFault) -> any TunnelState {
        try VLESSState(destination, user: user)
    }
}
