internal import Crypto

/// `ss://`, in the spellings of SIP002 and the one before it.
///
///     ss://base64url(method:password)@host:port/?plugin=…#name
///     ss://method:password@host:port#name        each percent-encoded
///     ss://base64(method:password@host:port)#name
enum ShadowsocksLink {
    static func parse(_ link: String) throws(LinkProblem) -> ParsedLink {
        let text = try LinkText(spelledOut(link))
        var options = LinkOptions(text)
        if options.take("plugin") != nil { throw .unsupported("a Shadowsocks plugin") }
        try options.finish()
        let layer = try layer(text.userInfo ?? "")
        let proxy = Destination(host: text.host, port: text.port)
        return ParsedLink(proxy: proxy, label: "ss", layers: [layer])
    }

    /// Turns the oldest spelling, which is Base64 as a whole, into one with host and port in the clear.
    private static func spelledOut(_ link: String) throws(LinkProblem) -> String {
        let (scheme, body, query) = try LinkText.split(link)
        guard !body.contains("@") else { return link }
        let encoded = PercentDecoding.text(body.hasSuffix("/") ? String(body.dropLast()) : body)
        guard let bytes = encoded.flatMap({ Base64.bytes($0) }),
            let plain = String(validating: bytes, as: UTF8.self),
            let at = plain.lastIndex(of: "@")
        else {
            throw LinkProblem(
                "there is no @ before host and port, nor is the whole Base64 of method:password@host:port"
            )
        }
        // The password is as it is here, so that it has to be hidden from the parser of links.
        let user = Base64.text(Array(plain[..<at].utf8))
        return "\(scheme)://\(user)\(plain[at...])" + (query.isEmpty ? "" : "?\(query)")
    }

    private static func layer(_ userInfo: String) throws(LinkProblem) -> ShadowsocksLayer {
        guard let decoded = PercentDecoding.text(userInfo) else {
            throw LinkProblem("what stands before the @ is not percent-encoded UTF-8")
        }
        let encoded = Base64.bytes(decoded).flatMap { String(validating: $0, as: UTF8.self) }
        // A colon is no character of Base64, so one spelling cannot be taken for the other.
        let parts = (userInfo.contains(":") ? decoded : encoded ?? "").split(
            separator: ":",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        guard parts.count == 2, !parts[1].isEmpty else {
            throw LinkProblem("before the @ stands neither method:password nor its Base64")
        }
        guard let cipher = ShadowsocksCipher(method: String(parts[0])) else {
            throw unknown(String(parts[0]))
        }
        return ShadowsocksLayer(cipher: cipher, masterKey: cipher.masterKey(password: String(parts[1])))
    }

    private static func unknown(_ method: String) -> LinkProblem {
        if method.lowercased().hasPrefix("2022-") { return .unsupported("Shadowsocks 2022") }
        // The method is not repeated: a password may stand in its place.
        let known = ShadowsocksCipher.allCases.map(\.rawValue).joined(separator: ", ")
        return LinkProblem(
            "the cipher before the colon is not supported; use one of \(known), or chain a local client"
        )
    }
}

/// Shadowsocks with the cipher and password of a link.
struct ShadowsocksLayer: TunnelLayer {
    let cipher: ShadowsocksCipher
    let masterKey: SymmetricKey

    func state(for destination: Destination) throws(RoadFault) -> any TunnelState {
        var random = SystemRandomNumberGenerator()
        let salt = (0..<cipher.keyCount).map { _ in UInt8.random(in: 0...255, using: &random) }
        return try ShadowsocksState(destination, cipher: cipher, masterKey: masterKey, salt: salt)
    }
}
