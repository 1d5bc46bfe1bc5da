import Egress
import Testing

@testable import Sidecar

@Suite("The ways out are read from the section egress")
struct EgressConfigurationTests {
    private static func read(_ text: String) throws -> Configuration {
        try Configuration.read(
            "{ \"version\": 1, \(text) }",
            from: .embedded,
            environment: EnvironmentVariables(process: ["LINK": "socks5://u:hunter2@a.example:1080"])
        ).configuration
    }

    private static let hops = #""hops": { "google": ["${LINK}", "direct"] }"#

    @Test("without the section there is no hop, and without its key no listener")
    func off() throws {
        let configuration = try Self.read(#""log": {}"#)

        #expect(configuration.egress == EgressSettings())
        #expect(configuration.listen.egress == nil)
    }

    @Test("hops, hosts, an upstream and the listener")
    func whole() throws {
        let configuration = try Self.read(
            """
            "listen": { "gateway": {}, "egress": { "credentials": "u:p" } },
            "upstreams": { "litellm": { "url": "http://a" },
                           "google": { "kind": "openai", "url": "https://b", "bearer": "k", "egress": "google" } },
            "egress": { \(Self.hops), "forward": [{ "hosts": ["*.googleapis.com"], "via": "google" }],
                        "connectSeconds": 2, "firstByteSeconds": 3, "idleSeconds": 4, "probeSeconds": 5 }
            """
        )

        #expect(configuration.listen.egress?.address == ListenAddress("127.0.0.1:4110"))
        #expect(configuration.listen.egress?.credentials == "u:p")
        #expect(configuration.upstreams["google"]?.hop == "google")
        #expect(configuration.upstreams["litellm"]?.hop == nil)
        #expect(configuration.egress.hops["google"]?.map(\.label) == ["socks5://a.example:1080", "direct"])
        #expect(configuration.egress.connect == .seconds(2))
        #expect(configuration.egress.firstByte == .seconds(3))
        #expect(configuration.egress.idle == .seconds(4))
        #expect(configuration.egress.probe == .seconds(5))
        #expect(configuration.egress.route(to: "a.googleapis.com", port: 443)?.hop == "google")
    }

    @Test("links are no part of what is shown")
    func secret() throws {
        let one = try Self.read("\"egress\": { \(Self.hops) }")
        let other = try Self.read(#""egress": { "hops": { "google": ["socks5://x:y@b.example:1"] } }"#)

        #expect(one.hash == other.hash)
        #expect(!"\(one)".contains("hunter2"))
    }

    @Test(
        "what is wrong is told where it stands",
        arguments: [
            (
                #""egress": { "hops": { "a": [] } }"#,
                [#"/egress/hops/a: empty; name at least one"#]
            ),
            (
                #""egress": { "hops": { "a": ["direct", "direct"] } }"#,
                ["/egress/hops/a/1: the same link as entry 0; remove it"]
            ),
            (
                #""egress": { "hops": { "a": ["direct"] }, "forward": [{ "hosts": ["b"], "via": "c" }] }"#,
                [#"/egress/forward/0/via: "c" is not a hop; write one of a, or list it under egress.hops"#]
            ),
            (
                #""upstreams": { "litellm": { "url": "http://a", "egress": "b" } }"#,
                [#"/upstreams/litellm/egress: "b" is not a hop; list one under egress.hops"#]
            ),
            (
                #""egress": { "hops": { "a": ["direct"] }, "forward": [{ "hosts": ["b:0", "c d"], "via": "a" }] }"#,
                [
                    #"/egress/forward/0/hosts/0: "b:0" is no pattern of a host; write one such as *.googleapis.com or host:8443"#,
                    #"/egress/forward/0/hosts/1: "c d" is no pattern of a host; write one such as *.googleapis.com or host:8443"#,
                ]
            ),
            (
                #""listen": { "gateway": {}, "egress": { "credentials": "nocolon" } }"#,
                [
                    "/listen/egress/credentials: not user:password; write both, with a colon between them and 255 bytes each at most"
                ]
            ),
            (
                #""listen": { "gateway": { "address": "127.0.0.1:4110" }, "egress": {} }"#,
                ["/listen/egress/address: the same port as /listen/gateway/address; write another one"]
            ),
        ] as [(String, [String])]
    )
    func wrong(_ row: (file: String, problems: [String])) {
        let found = problems(in: "{ \"version\": 1, \(row.file) }")

        #expect(found.count == row.problems.count)
        for (found, expected) in zip(found, row.problems) { #expect(found.hasPrefix(expected)) }
    }

    @Test(
        "a link that cannot be used is named by its place, and never quoted",
        arguments: [
            "hunter2", "socks5://hunter2:hunter2", "vless://hunter2@hunter2", "ss://hunter2", "ftp://hunter2",
        ]
    )
    func badLink(_ link: String) throws {
        let lines = problems(in: #"{ "version": 1, "egress": { "hops": { "a": ["direct", "\#(link)"] } } }"#)

        #expect(lines.count == 1)
        #expect(lines.allSatisfy { $0.hasPrefix("/egress/hops/a/1: ") && !$0.contains("hunter2") })
    }

    @Test(
        "a host is served where a pattern fits it and its port",
        arguments: [
            ("*.googleapis.com", "a.googleapis.com", 443, true),
            ("*.googleapis.com", "googleapis.com", 443, false),
            ("*.googleapis.com", "A.GOOGLEAPIS.COM.", 443, true),
            ("*.googleapis.com", "a.googleapis.com", 80, false),
            ("*.googleapis.com", "a.googleapis.com.evil", 443, false), ("a.b:8443", "a.b", 8443, true),
            ("a.b:8443", "a.b", 443, false), ("*", "8.8.8.8", 443, true), ("*", "127.0.0.1", 443, false),
            ("*", "0x7f.1", 443, false), ("*", "2130706433", 443, false), ("*", "017700000001", 443, false),
            ("*", "::1", 443, false), ("*", "::ffff:127.0.0.1", 443, false),
            ("*", "169.254.169.254", 443, false),
            ("127.0.0.1", "127.0.0.1", 443, true), ("127.0.0.1", "127.1", 443, false),
            ("127.0.0.*", "127.0.0.1", 443, false), ("[::1]", "::1", 443, true), ("[::1]:9", "::1", 9, true),
            ("[FD00:0::77]:8443", "fd00:0:0:0:0:0:0:77", 8443, true), ("*", "a..b", 443, false),
            ("*", ".b", 443, false), ("*", "１２７.0.0.1", 443, false), ("*", "\u{212A}.b", 443, false),
            ("*", "a%00.b", 443, false), ("*", "a?.b", 443, false), ("*", #""a".b"#, 443, false),
            ("*", "[a.b]", 443, false), ("*", String(repeating: "a", count: 64), 443, false),
            ("*", "a@b", 443, false), ("*", "a b", 443, false), ("*", "", 443, false),
            ("*", "a/b", 443, false),
        ]
    )
    func routes(_ row: (pattern: String, host: String, port: Int, isServed: Bool)) throws {
        let pattern = try #require(ForwardHost(row.pattern))
        let settings = EgressSettings(forward: [ForwardRule(hosts: [pattern], hop: "h")])

        #expect((settings.route(to: row.host, port: row.port) != nil) == row.isServed)
    }

    @Test("a private address may be the end only where it is written out")
    func allowsPrivate() throws {
        let hosts = try ["*.example", "127.0.0.1"].map { try #require(ForwardHost($0)) }
        let settings = EgressSettings(forward: [ForwardRule(hosts: hosts, hop: "h")])

        #expect(settings.route(to: "127.0.0.1", port: 443)?.allowsPrivate == true)
        #expect(settings.route(to: "a.example", port: 443)?.allowsPrivate == false)
    }
}
