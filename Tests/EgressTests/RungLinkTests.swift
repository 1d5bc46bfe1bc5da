import Testing

@testable import Egress

@Suite("Links name a road in all their spellings")
struct RungLinkTests {
    private static let id = "b831381d-6324-4d53-ad4f-8cda48b30811"

    @Test(
        "the label says what is spoken to whom, and nothing more",
        arguments: [
            ("direct", "direct"),
            (" Direct\n", "direct"),
            ("socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080"),
            ("SOCKS5://User:p%40ss@Proxy.Example:1080", "socks5://proxy.example:1080"),
            ("socks5h://[2001:DB8::1]:1080#name", "socks5://[2001:db8::1]:1080"),
            ("http://user:p@ss/w@proxy.example:3128", "http://proxy.example:3128"),
            ("http://proxy.example:3128/", "http://proxy.example:3128"),
            ("vless://\(id)@proxy.example:443", "vless://proxy.example:443"),
            (
                "vless://\(id)@proxy.example:443?type=raw&security=none&encryption=none",
                "vless://proxy.example:443"
            ),
            (
                "vless://\(id)@proxy.example:443?security=tls&sni=a.example&fp=chrome&flow=",
                "vless+tls://proxy.example:443"
            ),
            (
                "vless://\(id)@proxy.example:80?type=ws&path=%2Fray%3Fed%3D2048&host=a.example",
                "vless+ws://proxy.example:80"
            ),
            (
                "vless://\(id)@[2001:db8::1]:443/?type=ws&security=tls&alpn=h2%2Chttp%2F1.1#Über uns 🚀",
                "vless+ws+tls://[2001:db8::1]:443"
            ),
            (
                "vless://example@proxy.example:443?allowInsecure=0&mux=0&headerType=none",
                "vless://proxy.example:443"
            ),
            ("ss://YWVzLTI1Ni1nY206c2VjcmV0@proxy.example:8388#tag", "ss://proxy.example:8388"),
            ("ss://YWVzLTI1Ni1nY206cw==@proxy.example:8388/?group=x", "ss://proxy.example:8388"),
            ("ss://YWVzLTI1Ni1nY206cw%3D%3D@proxy.example:8388", "ss://proxy.example:8388"),
            ("ss://aes-128-gcm:s%3Acret@[::1]:8388", "ss://[::1]:8388"),
            ("ss://chacha20-ietf-poly1305:s@proxy.example:8388/?plugin=", "ss://proxy.example:8388"),
            // aes-256-gcm:p@ss:/w@proxy.example:8388, as a whole.
            ("ss://YWVzLTI1Ni1nY206cEBzczovd0Bwcm94eS5leGFtcGxlOjgzODg#old", "ss://proxy.example:8388"),
        ]
    )
    func label(link: String, label: String) throws {
        let rung = try Rung(link)

        #expect(rung.label == label)
        #expect(rung.isDirect == (label == "direct"))
        #expect("\(rung)" == label && String(reflecting: rung) == label)
    }

    /// The base64url alphabet: `aes-256-gcm:~~~???>>>` has both of its own characters.
    @Test(
        "every spelling of one Shadowsocks link has the same key",
        arguments: [
            "ss://YWVzLTI1Ni1nY206fn5-Pz8_Pj4-@a.example:1", "ss://YWVzLTI1Ni1nY206fn5+Pz8/Pj4+@a.example:1",
            "ss://aes-256-gcm:~~~%3F%3F%3F%3E%3E%3E@a.example:1",
            "ss://AEAD_AES_256_GCM:~~~%3f%3f%3f%3e%3e%3e@a.example:1",
            "ss://YWVzLTI1Ni1nY206fn5-Pz8_Pj4-QGEuZXhhbXBsZTox",
        ]
    )
    func shadowsocksKey(link: String) throws {
        let layer = try #require(Rung(link).parsed?.layers.first as? ShadowsocksLayer)

        #expect(layer.cipher == .aes256GCM)
        #expect(layer.masterKey == ShadowsocksCipher.aes256GCM.masterKey(password: "~~~???>>>"))
    }

    @Test(
        "TLS with the proxy is as the link says",
        arguments: [
            ("?security=tls", "p.example", []),
            ("?security=tls&sni=a.example&alpn=h2,http/1.1", "a.example", ["h2", "http/1.1"]),
            ("?security=tls&type=ws&alpn=h2", "p.example", ["http/1.1"]),
        ] as [(String, String, [String])]
    )
    func proxyTLS(query: String, name: String, protocols: [String]) throws {
        let tls = try #require(Rung("vless://\(Self.id)@p.example:443\(query)").parsed?.tls)

        #expect(tls == ProxyTLS(serverName: name, applicationProtocols: protocols))
    }

    @Test("a proxy that is an address has no name to send")
    func addressHasNoName() throws {
        #expect(try Rung("vless://\(Self.id)@192.0.2.1:443?security=tls").parsed?.tls == ProxyTLS())
    }

    @Test(
        "the WebSocket asks for host and path of the link",
        arguments: [
            ("?type=ws", "p.example", "/"),
            ("?type=ws&security=tls&sni=a.example&path=ray", "a.example", "/ray"),
            ("?type=ws&host=b.example&path=%2Fa%20b%3Fc%3D%C3%A4%23", "b.example", "/a%20b?c=%C3%A4%23"),
        ]
    )
    func webSocket(query: String, host: String, path: String) throws {
        let layer = try #require(
            Rung("vless://\(Self.id)@p.example:443\(query)").parsed?.layers.first as? WebSocketLayer
        )

        #expect(layer.host == host && layer.path == path)
    }

    @Test(
        "what is not supported is refused by name, with the way out",
        arguments: [
            ("vless://ID@p.example:443?security=reality&pbk=k&sid=1&fp=chrome", "REALITY"),
            ("vless://ID@p.example:443?security=tls&pbk=k", "REALITY"),
            ("vless://ID@p.example:443?security=tls&flow=xtls-rprx-vision", "vision"),
            ("vless://ID@p.example:443?security=xtls", "XTLS"),
            ("vless://ID@p.example:443?encryption=mlkem768x25519plus.native", "encryption"),
            ("vless://ID@p.example:443?type=grpc&serviceName=g", "grpc"),
            ("vless://ID@p.example:443?type=httpupgrade", "httpupgrade"),
            ("vless://ID@p.example:443?type=xhttp&mode=auto", "xhttp"),
            ("vless://ID@p.example:443?type=kcp", "kcp"),
            ("vless://ID@p.example:443?headerType=http", "headerType"),
            ("vless://ID@p.example:443?mux=1", "mux"),
            ("vless://ID@p.example:443?security=tls&ech=x", "ECH"),
            ("ss://YWVzLTI1Ni1nY206c2VjcmV0@p.example:1/?plugin=obfs-local%3Bobfs%3Dhttp", "plugin"),
            ("ss://2022-blake3-aes-256-gcm:a2V5@p.example:1", "2022"),
            ("trojan://secret@p.example:443", "trojan"),
            ("vmess://eyJ9", "vmess"),
        ]
    )
    func unsupported(link: String, feature: String) throws {
        let problem = try #require(throws: LinkProblem.self) {
            try Rung(link.replacing("ID", with: Self.id))
        }

        #expect(problem.message.contains(feature))
        #expect(problem.message.contains("chain its SOCKS port"))
    }

    @Test(
        "what is wrong is said with what to write instead",
        arguments: [
            ("", "scheme://"),
            ("127.0.0.1:1080", "scheme://"),
            ("gopher://127.0.0.1:1080", "scheme is not known"),
            ("socks5://127.0.0.1", "port is missing"),
            ("socks5://127.0.0.1:", "port is missing"),
            ("socks5://127.0.0.1:0", "1 to 65535"),
            ("socks5://127.0.0.1:65536", "1 to 65535"),
            ("socks5://127.0.0.1:+80", "1 to 65535"),
            ("socks5://2001:db8::1:1080", "brackets"),
            ("socks5://[2001:db8::g]:1080", "brackets"),
            ("socks5://[127.0.0.1]:1080", "brackets"),
            ("socks5://:1080", "no host"),
            ("socks5://pröxy:1080", "no host"),
            ("socks5://us er@p.example:1080", "white space"),
            ("socks5://:secret@p.example:1080", "user before"),
            ("socks5://user@p.example:1080", "1 to 255 bytes"),
            ("socks5://u%zz:secret@p.example:1080", "percent-encoded"),
            ("socks5://u%0a:secret@p.example:1080", "control character"),
            ("socks5://p.example:1080?x=1", "option x"),
            ("http://a%3Ab:secret@p.example:80", "colon"),
            ("vless://p.example:443", "UUID"),
            ("vless://\(String(repeating: "s", count: 31))@p.example:443", "UUID"),
            ("vless://ID@p.example:443?type=tpc", "tcp, raw or ws"),
            ("vless://ID@p.example:443?security=ssl", "none or tls"),
            ("vless://ID@p.example:443?security=tls&allowInsecure=1", "allowInsecure"),
            ("vless://ID@p.example:443?security=tls&insecure=true", "insecure"),
            ("vless://ID@p.example:443?security=tls&sni=a%20b", "sni"),
            ("vless://ID@p.example:443?type=ws&host=a%0d%0ab", "host or path"),
            ("vless://ID@p.example:443?type=ws&type=tcp", "twice"),
            ("vless://ID@p.example:443?secretoption=1", "option secretoption"),
            ("vless://ID@p.example:443?path=%ff", "UTF-8"),
            ("ss://p.example:1", "no @"),
            ("ss://secret@p.example:1", "method:password"),
            ("ss://YWVzLTI1Ni1nY206@p.example:1", "method:password"),
            ("ss://rc4-md5:secret@p.example:1", "aes-256-gcm"),
        ]
    )
    func wrong(link: String, part: String) throws {
        let problem = try #require(throws: LinkProblem.self) {
            try Rung(link.replacing("ID", with: Self.id))
        }

        #expect(problem.message.contains(part))
        #expect("\(problem)" == problem.message)
    }

    private static let secretLinks = [
        "socks5://hunter22:correcthorse@p.example:1080", "http://hunter22:correcthorse@p.example:3128",
        "vless://\(id)@p.example:443?type=ws&security=tls&sni=a.example&path=%2Fray",
        "vless://\(id)@p.example:443?security=reality&pbk=hunter22correcthorse",
        "ss://YWVzLTI1Ni1nY206Y29ycmVjdGhvcnNl@p.example:8388",
        "ss://aes-256-gcm:correcthorse@p.example:8388",
        "ss://YWVzLTI1Ni1nY206Y29ycmVjdGhvcnNlQHAuZXhhbXBsZTo4Mzg4", "ss://rc4:correcthorse@p.example:8388",
        "trojan://correcthorse@p.example:443",
    ]

    @Test("no problem repeats a credential, whatever is wrong with the link", arguments: secretLinks)
    func secrets(link: String) {
        let secrets = ["hunter22", "correcthorse", "Y29ycmVjdGhvcnNl", Self.id.prefix(8).lowercased()]
        for place in link.indices {
            for change in ["", " ", "/", "#", "?", "@", ":", "%", "\u{0}", "&", "="] {
                var changed = link
                changed.replaceSubrange(place...place, with: change)
                do {
                    _ = try Rung(changed)
                } catch {
                    #expect(!secrets.contains { error.message.contains($0) }, "\(error.message)")
                }
            }
        }
    }

    @Test("rungs are the same if their links are")
    func equality() throws {
        #expect(try Rung("socks5://a:b@p.example:1") != Rung("socks5://a:c@p.example:1"))
        #expect(try Set([Rung("direct"), Rung(" direct")]).count == 1)
    }
}
