import TestSupport
import Testing
import Wire

@Suite("A request head is read in one way or not at all")
struct HTTPRequestHeadTests {
    /// What a head says of target, version, body and connection.
    private func summary(_ text: String) throws -> String {
        let (head, bytes) = try RequestHead.reading(Array(text.utf8)).get()
        let target = String(decoding: bytes[head.target], as: UTF8.self)
        let flags = [
            head.keepsAlive ? "keeps" : "closes", head.expectsContinue ? "waits" : nil,
            head.isUpgrade ? "upgrade" : nil,
        ]
        let method = String(decoding: bytes[head.method], as: UTF8.self)
        let parts = [method, target, "1.\(head.minorVersion)", "\(head.framing)"]
        return (parts + flags.compactMap { $0 }).joined(separator: " ")
    }

    static let accepted: [(lines: [String], summary: String)] = [
        (["GET / HTTP/1.1", "Host: h"], "GET / 1.1 none keeps"),
        (["POST /a?b=c HTTP/1.1", "Host:h", "Content-Length: 12"], "POST /a?b=c 1.1 length(12) keeps"),
        (["POST / HTTP/1.1", "Host: h", "content-LENGTH:  007  "], "POST / 1.1 length(7) keeps"),
        (["POST / HTTP/1.1", "Host: h", "Content-Length: 0"], "POST / 1.1 none keeps"),
        (
            ["POST / HTTP/1.1", "Host: h", "Content-Length: 999999999999999999"],
            "POST / 1.1 length(999999999999999999) keeps"
        ),
        (["POST / HTTP/1.1", "Host: h", "Transfer-Encoding: Chunked "], "POST / 1.1 chunked keeps"),
        (["get / HTTP/1.1", "Host: h"], "get / 1.1 none keeps"),
        (["!#$%&'*+-.^_`|~9Z / HTTP/1.1", "Host: h"], "!#$%&'*+-.^_`|~9Z / 1.1 none keeps"),
        (["GET //a//../%00?x=/#".dropLast() + " HTTP/1.1", "Host: h"], "GET //a//../%00?x=/ 1.1 none keeps"),
        (["GET /é HTTP/1.1", "Host: h"], "GET /é 1.1 none keeps"),
        (["OPTIONS * HTTP/1.1", "Host: h"], "OPTIONS * 1.1 none keeps"),
        (["GET http://h/a?b HTTP/1.1", "Host: h"], "GET /a?b 1.1 none keeps"),
        (["GET HTTPS://h:8443/ HTTP/1.1", "Host: h:8443"], "GET / 1.1 none keeps"),
        (["GET http://[::1]:80/a HTTP/1.1", "Host: [::1]:80"], "GET /a 1.1 none keeps"),
        (["GET / HTTP/1.1", "Host:"], "GET / 1.1 none keeps"),
        (["GET / HTTP/1.0"], "GET / 1.0 none closes"),
        (["GET / HTTP/1.0", "Host: h", "Connection: Keep-Alive"], "GET / 1.0 none keeps"),
        (["GET / HTTP/1.0", "Connection: keep-alive, close"], "GET / 1.0 none closes"),
        (["POST / HTTP/1.0", "Content-Length: 1"], "POST / 1.0 length(1) closes"),
        (["GET / HTTP/1.0", "Expect: 100-continue"], "GET / 1.0 none closes"),
        (["GET / HTTP/1.0", "Connection: upgrade", "Upgrade: x"], "GET / 1.0 none closes"),
        (["GET / HTTP/1.1", "Host: h", "Connection: close"], "GET / 1.1 none closes"),
        (["GET / HTTP/1.1", "Host: h", "Connection: x", "CONNECTION: a,\tCLOSE ,"], "GET / 1.1 none closes"),
        (["GET / HTTP/1.1", "Host: h", "Connection: closed"], "GET / 1.1 none keeps"),
        (["PUT / HTTP/1.1", "Host: h", "Expect: 100-Continue"], "PUT / 1.1 none keeps waits"),
        (["PUT / HTTP/1.1", "Host: h", "Expect: 200"], "PUT / 1.1 none keeps"),
        (
            ["GET / HTTP/1.1", "Host: h", "Connection: keep-alive, Upgrade", "Upgrade: websocket"],
            "GET / 1.1 none keeps upgrade"
        ),
        (["GET / HTTP/1.1", "Host: h", "Upgrade: websocket"], "GET / 1.1 none keeps"),
        (["GET / HTTP/1.1", "Host: h", "Connection: upgrade"], "GET / 1.1 none keeps"),
        (["GET / HTTP/1.1", "Host: h", "A: \u{80}é\tb ", "B:", "!x: "], "GET / 1.1 none keeps"),
    ]

    @Test("accepted", arguments: accepted)
    func accepts(lines: [String], summary: String) throws {
        #expect(try self.summary(headText(lines)) == summary)
    }

    static let requestLines: [(line: String, why: HeadError)] = [
        ("GET  / HTTP/1.1", .syntax("a bad request line")),
        (" GET / HTTP/1.1", .syntax("a bad request line")),
        ("GET\t/ HTTP/1.1", .syntax("a bad request line")),
        ("GET / HTTP/1.1 ", .syntax("a bad HTTP version")),
        ("GET /  HTTP/1.1", .syntax("a bad HTTP version")),
        ("GET /a b HTTP/1.1", .syntax("a bad HTTP version")),
        ("GET /\tHTTP/1.1", .syntax("a bad request line")),
        ("GET /", .syntax("a bad request line")),
        ("GET", .syntax("a bad request line")),
        ("", .syntax("a bad request line")),
        ("G(T / HTTP/1.1", .syntax("a bad request line")),
        ("GÉT / HTTP/1.1", .syntax("a bad request line")),
        ("GET / HTTP/2.0", .syntax("a bad HTTP version")),
        ("GET / HTTP/1.2", .syntax("a bad HTTP version")),
        ("GET / HTTP/1.10", .syntax("a bad HTTP version")),
        ("GET / HTTP/1.", .syntax("a bad HTTP version")),
        ("GET / http/1.1", .syntax("a bad HTTP version")),
        ("GET / HTTP/01.1", .syntax("a bad HTTP version")),
        ("GET / ICAP/1.1", .syntax("a bad HTTP version")),
        ("GET /a#b HTTP/1.1", .syntax("a fragment in the request target")),
        ("GET a HTTP/1.1", .syntax("a bad request target")),
        ("GET ?a HTTP/1.1", .syntax("a bad request target")),
        ("GET * HTTP/1.1", .syntax("a bad request target")),
        ("OPTIONS ** HTTP/1.1", .syntax("a bad request target")),
        ("CONNECT h:443 HTTP/1.1", .syntax("a bad request target")),
        ("GET http:///a HTTP/1.1", .syntax("a bad request target")),
        ("GET http://h HTTP/1.1", .syntax("a bad request target")),
        ("GET http://h?a=/b HTTP/1.1", .syntax("a bad request target")),
        ("GET http://u@h/a HTTP/1.1", .syntax("a bad request target")),
        (#"GET http://h\a/b HTTP/1.1"#, .syntax("a bad request target")),
        ("GET ftp://h/a HTTP/1.1", .syntax("a bad request target")),
        ("GET /\u{0} HTTP/1.1", .syntax("a control character in the head")),
        ("GET /\u{7F} HTTP/1.1", .syntax("a control character in the head")),
        ("GET /\u{B} HTTP/1.1", .syntax("a control character in the head")),
    ]

    @Test("request lines that are refused", arguments: requestLines)
    func refusesLine(line: String, why: HeadError) {
        #expect(refusal(headText(line, "Host: h")) == why)
    }

    static let fields: [(lines: [String], why: HeadError)] = [
        (["Host: h", "A: b", " c"], .syntax("a folded header line")),
        (["Host: h", "A: b", "\tc: d"], .syntax("a folded header line")),
        (["Host: h", "A : b"], .syntax("a bad header name")),
        (["Host : h"], .syntax("a bad header name")),
        (["Host: h", "A\t: b"], .syntax("a bad header name")),
        (["Host: h", ": b"], .syntax("a bad header name")),
        (["Host: h", "A"], .syntax("a bad header name")),
        (["Host: h", "A(b): c"], .syntax("a bad header name")),
        (["Host: h", "Å: c"], .syntax("a bad header name")),
        (["Host: h", "A: \u{0}"], .syntax("a control character in the head")),
        (["Host: h", "A: \u{1F}"], .syntax("a control character in the head")),
        (["Host: h", "A: \u{7F}"], .syntax("a control character in the head")),
        (["Host: h", "\u{1}A: b"], .syntax("a control character in the head")),
        (["Host: h", "A: b\rContent-Length: 5"], .syntax("a bare carriage return")),
        (["Host: h", "A: b\r"], .syntax("a bare carriage return")),
        (["Host: h", "\rA: b"], .syntax("a bare carriage return")),
        ([], .syntax("no Host header")),
        (["Host: h", "Host: h"], .syntax("more than one Host header")),
        (["Host: h", "host:"], .syntax("more than one Host header")),
        (["Host: a b"], .syntax("a bad Host header")),
        (["Host: a/b"], .syntax("a bad Host header")),
        (["Host: u@h"], .syntax("a bad Host header")),
        (["Host: h\u{E9}"], .syntax("a bad Host header")),
        (["Host: h", "Content-Length: 5", "Content-Length: 5"], .syntax("more than one Content-Length")),
        (["Host: h", "Content-Length: 5", "content-length: 6"], .syntax("more than one Content-Length")),
        (["Host: h", "Content-Length: 5, 5"], .syntax("a bad Content-Length")),
        (["Host: h", "Content-Length: +5"], .syntax("a bad Content-Length")),
        (["Host: h", "Content-Length: -5"], .syntax("a bad Content-Length")),
        (["Host: h", "Content-Length: 0x5"], .syntax("a bad Content-Length")),
        (["Host: h", "Content-Length: 5 5"], .syntax("a bad Content-Length")),
        (["Host: h", "Content-Length: 5."], .syntax("a bad Content-Length")),
        (["Host: h", "Content-Length:"], .syntax("a bad Content-Length")),
        (["Host: h", "Content-Length: \u{661}"], .syntax("a bad Content-Length")),
        (["Host: h", "Content-Length: 9223372036854775808"], .syntax("a bad Content-Length")),
        (["Host: h", "Content-Length: 0000000000000000005"], .syntax("a bad Content-Length")),
        (
            ["Host: h", "Content-Length: 5", "Transfer-Encoding: chunked"],
            .syntax("both Content-Length and Transfer-Encoding")
        ),
        (
            ["Host: h", "Transfer-Encoding: chunked", "Content-Length: 0"],
            .syntax("both Content-Length and Transfer-Encoding")
        ),
        (
            ["Host: h", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
            .syntax("more than one Transfer-Encoding")
        ),
        (["Host: h", "Transfer-Encoding: gzip"], .unknownTransferCoding),
        (["Host: h", "Transfer-Encoding: gzip, chunked"], .unknownTransferCoding),
        (["Host: h", "Transfer-Encoding: chunked, chunked"], .unknownTransferCoding),
        (["Host: h", "Transfer-Encoding: chunked, identity"], .unknownTransferCoding),
        (["Host: h", "Transfer-Encoding: \"chunked\""], .unknownTransferCoding),
        (["Host: h", "Transfer-Encoding: chunked;a=b"], .unknownTransferCoding),
        (["Host: h", "Transfer-Encoding: xchunked"], .unknownTransferCoding),
        (["Host: h", "Transfer-Encoding:"], .unknownTransferCoding),
    ]

    @Test("fields that are refused", arguments: fields)
    func refusesFields(lines: [String], why: HeadError) {
        #expect(refusal(headText(["POST / HTTP/1.1"] + lines)) == why)
    }

    @Test("chunks are refused in HTTP/1.0, which does not know them")
    func refusesOldChunks() {
        let text = headText("POST / HTTP/1.0", "Host: h", "Transfer-Encoding: chunked")

        #expect(refusal(text) == .syntax("Transfer-Encoding in HTTP/1.0"))
    }

    @Test("a control character is found wherever it stands in a word", arguments: 0..<24)
    func findsControls(place: Int) {
        for byte in Array(0..<0x20) + [0x7F] where byte != 0x09 {
            var value = Array("abcdefghijklmnopqrstuvwxyz".unicodeScalars)
            value[place] = Unicode.Scalar(UInt8(byte))
            let text = headText("GET / HTTP/1.1", "Host: h", "A: " + String(String.UnicodeScalarView(value)))

            #expect(refusal(text) != nil, "\(byte)")
        }
    }

    @Test("what Connection names belongs to the connection, but never the framing and the host")
    func nominates() throws {
        let text = headText(
            "POST / HTTP/1.1",
            "Host: h",
            "Connection: X-One, content-length ,HOST",
            "x-one: 1",
            "X-Two: 2",
            "Content-Length: 3",
            "connection: x-two",
            "X-Twofold: 4",
            "Keep-Alive: 5",
            "TE: trailers",
            "Trailer: a",
            "Proxy-Connection: b",
            "Upgrade: c",
            "Authorization: d"
        )

        let (head, bytes) = try RequestHead.reading(Array(text.utf8)).get()

        #expect(
            fieldSummaries(head.fields, in: bytes) == [
                "Host: h", "[Connection: X-One, content-length ,HOST]", "[x-one: 1]", "[X-Two: 2]",
                "Content-Length: 3", "[connection: x-two]", "X-Twofold: 4", "[Keep-Alive: 5]",
                "[TE: trailers]",
                "[Trailer: a]", "[Proxy-Connection: b]", "[Upgrade: c]", "Authorization: d",
            ]
        )
        #expect(head.framing == .length(3))
    }

    @Test("every known name is known in any case, and nothing else is", arguments: HeaderName.allCases)
    func names(header: HeaderName) throws {
        let name = header == .ours ? "x-sidecar-any" : header.lowercased.description
        guard !name.isEmpty else { return }

        for (spelling, expected) in [
            (name, header), (name.uppercased(), header), (name.capitalized(), header), (name + "x", nil),
            (String(name.dropLast()), nil), ("y" + name.dropFirst(), nil),
        ] {
            let lines = ["GET / HTTP/1.0", "\(spelling): chunked"]
            guard !["content-length", "transfer-encoding"].contains(spelling.lowercased()) else { continue }
            let head = try RequestHead.reading(Array(headText(lines).utf8)).get().head
            let read = try #require(head.fields.first).header
            if let expected { #expect(read == expected) } else if header != .ours { #expect(read != header) }
        }
    }

    @Test("captured requests are understood, and their fields cover the head")
    func readsCaptures() throws {
        for name in try RecordedExchange.names("request") {
            let capture = try Fixtures.bytes("captures/\(name)")

            let (head, bytes) = try RequestHead.reading(capture).get()

            let saysClose = String(decoding: bytes, as: UTF8.self).lowercased().contains("connection: close")
            #expect(head.keepsAlive != saysClose && head.byteCount == bytes.count, "\(name)")
            #expect(head.fields.first?.start == head.target.upperBound + " HTTP/1.1\r\n".utf8.count)
            #expect(zip(head.fields, head.fields.dropFirst()).allSatisfy { $0.end == $1.start })
            #expect(head.fields.last?.end == head.byteCount - 2)
            #expect(head.first(.host) != nil)
        }
    }

    private func refusal(_ text: String) -> HeadError? {
        guard case .failure(let error) = RequestHead.reading(Array(text.utf8)) else { return nil }
        return error
    }
}

extension String {
    fileprivate func capitalized() -> String {
        split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: "-")
    }
}
