import Testing

@testable import Sidecar

@Suite("Addresses are read strictly")
struct ListenAddressTests {
    @Test(
        "a listener's address",
        arguments: [
            ("0.0.0.0:4100", "0.0.0.0", 4100), ("localhost:0", "localhost", 0), ("[::]:65535", "::", 65_535),
            ("[fe80::1]:1", "fe80::1", 1), ("my_host-1.lan:80", "my_host-1.lan", 80),
        ]
    )
    func reads(_ row: (text: String, host: String, port: Int)) {
        let address = ListenAddress(row.text)

        #expect(address == ListenAddress(host: row.host, port: row.port))
        #expect(address?.description == row.text)
    }

    @Test(
        "what is none",
        arguments: [
            "", ":4100", "4100", "host", "host:", "host:65536", "host:-1", "host:+1", "host: 1", "host:1 ",
            "::1:80",
            "[::1]", "[::1]80", "[::1:80", "[host]:80", "[127.0.0.1]:80", "300.0.0.1:80", "1.2.3:80",
            "a b:80", "é:80",
            "host:１", "-h:80", "host:000080", "http://h:80",
        ]
    )
    func refuses(_ text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test(
        "who can reach it",
        arguments: [
            ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("localhost", true), ("LOCALHOST", true),
            ("0.0.0.0", false), ("::", false), ("10.0.0.1", false), ("127.example.org", false),
            ("sidecar", false),
        ]
    )
    func loopback(_ row: (host: String, isLoopback: Bool)) {
        #expect(ListenAddress(host: row.host, port: 1).isLoopback == row.isLoopback)
    }

    @Test(
        "which addresses exclude each other",
        arguments: [
            ("a:1", "a:1", true), ("a:1", "a:2", false), ("a:1", "b:1", false),
            ("0.0.0.0:1", "127.0.0.1:1", true),
            ("127.0.0.1:1", "[::]:1", true), ("a:0", "a:0", false),
        ]
    )
    func collisions(_ row: (a: String, b: String, collide: Bool)) throws {
        let a = try #require(ListenAddress(row.a))
        let b = try #require(ListenAddress(row.b))

        #expect(a.collides(with: b) == row.collide)
        #expect(b.collides(with: a) == row.collide)
    }
}

@Suite("The address of an upstream is read strictly")
struct UpstreamURLTests {
    @Test(
        "a URL",
        arguments: [
            ("http://a", UpstreamURL(isTLS: false, host: "a", port: 80)),
            ("HTTPS://a/", UpstreamURL(isTLS: true, host: "a", port: 443)),
            ("http://[::1]:4000", UpstreamURL(isTLS: false, host: "::1", port: 4000)),
            ("http://[::1]", UpstreamURL(isTLS: false, host: "::1", port: 80)),
            ("https://a.b:8443/x/y//", UpstreamURL(isTLS: true, host: "a.b", port: 8443, pathPrefix: "/x/y")),
            ("http://a/%20", UpstreamURL(isTLS: false, host: "a", port: 80, pathPrefix: "/%20")),
        ]
    )
    func reads(_ row: (text: String, url: UpstreamURL)) throws {
        #expect(try UpstreamURL(row.text) == row.url)
    }

    @Test(
        "what is none",
        arguments: [
            ("", .scheme), ("a:80", .scheme), ("ftp://a", .scheme), ("http:/a", .scheme),
            (" http://a", .scheme),
            ("http://", .host), ("http:///x", .host), ("http://:80", .host), ("http://a b", .host),
            ("http://a:0", .port), ("http://a:65536", .port), ("http://a:", .port), ("http://a:80x", .port),
            ("http://u@a", .userInfo), ("http://u:p@a/x", .userInfo), ("http://u:p?@a", .query),
            ("http://a?x", .query), ("http://a/x#y", .query),
            ("http://a/x y", .path), ("http://a/\r\nb", .path), ("http://a/é", .path),
            ("http://a/../b", .path),
            ("http://a//b", .path), ("http://a/b\\c", .path),
        ] as [(String, UpstreamURL.Failure)]
    )
    func refuses(_ row: (text: String, failure: UpstreamURL.Failure)) {
        #expect(throws: row.failure) { try UpstreamURL(row.text) }
    }
}
