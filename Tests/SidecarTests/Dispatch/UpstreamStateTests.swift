import Testing
import Wire

@testable import Sidecar

@Suite("An upstream connection carries one response after the other")
struct UpstreamStateTests {
    /// What came of the bytes of one connection, piece by piece.
    private struct Outcome: Equatable {
        var statuses: [Int] = []
        var interims = 0
        var payload = ""
        /// Whether the response is complete.
        var isOver = false
        var isTunnel = false
        var isMalformed = false
        /// What follows the response and belongs to nobody.
        var left = ""
    }

    private var state = UpstreamState()

    private mutating func receive(_ pieces: [ArraySlice<UInt8>]) -> Outcome {
        var outcome = Outcome()
        var held: [UInt8] = []
        for piece in pieces {
            held += piece
            while !held.isEmpty, step(&held, &outcome) {}
        }
        if case .idle = state.phase { outcome.isOver = true }
        outcome.left = String(decoding: held, as: UTF8.self)
        return outcome
    }

    /// Gives the state what it waits for; false when it needs more.
    private mutating func step(_ held: inout [UInt8], _ outcome: inout Outcome) -> Bool {
        guard !outcome.isMalformed else { return false }
        switch state.phase {
        case .idle: return false
        case .tunnel:
            outcome.isTunnel = true
            return false
        case .head: return stepInHead(&held, &outcome)
        case .body: return stepInBody(&held, &outcome)
        }
    }

    private mutating func stepInHead(_ held: inout [UInt8], _ outcome: inout Outcome) -> Bool {
        switch held.withUnsafeBytes({ state.received(head: $0) }) {
        case .incomplete: return false
        case .malformed: outcome.isMalformed = true
        case .interim(let count):
            outcome.interims += 1
            held.removeFirst(count)
        case .final(let head):
            outcome.statuses.append(head.status)
            held.removeFirst(head.byteCount)
            // The handler asks again only if there is a body.
            return true
        }
        return true
    }

    private mutating func stepInBody(_ held: inout [UInt8], _ outcome: inout Outcome) -> Bool {
        var payload: [UInt8] = []
        switch held.withUnsafeBytes({ state.received(body: $0) { payload += Array($0) } }) {
        case .more: held = []
        case .malformed: outcome.isMalformed = true
        case .ended(let end): held.removeFirst(end)
        }
        outcome.payload += String(decoding: payload, as: UTF8.self)
        return true
    }

    private static let ok = "HTTP/1.1 200 OK\r\n"

    static let rows: [(when: String, isHEAD: Bool, bytes: String, outcome: String)] = [
        ("a length", false, ok + "Content-Length: 3\r\n\r\nabc", "200 abc over"),
        ("no byte", false, ok + "Content-Length: 0\r\n\r\n", "200 over"),
        ("chunks", false, ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "200 abc over"),
        (
            "trailers", false, ok + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\n\r\n",
            "200 a over"
        ),
        ("until the end", false, ok + "\r\nabc", "200 abc open"),
        ("HEAD", true, ok + "Content-Length: 3\r\n\r\n", "200 over"),
        ("HEAD with chunks", true, ok + "Transfer-Encoding: chunked\r\n\r\n", "200 over"),
        ("204", false, "HTTP/1.1 204 No Content\r\n\r\n", "204 over"),
        ("304", false, "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", "304 over"),
        (
            "an interim head", false, "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 1\r\n\r\na",
            "1 interim 200 a over"
        ),
        (
            "several interim heads", false,
            "HTTP/1.1 102 \r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + ok
                + "Content-Length: 1\r\n\r\na",
            "2 interim 200 a over"
        ),
        ("an interim head alone", false, "HTTP/1.1 100 Continue\r\n\r\n", "1 interim open"),
        (
            "101", false, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\u{1}\u{2}",
            "101 tunnel left \u{1}\u{2}"
        ),
        ("too much", false, ok + "Content-Length: 1\r\n\r\nabc", "200 a over left bc"),
        (
            "too much behind chunks", false, ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200",
            "200 over left HTTP/1.1 200"
        ),
        ("too much behind no body", false, "HTTP/1.1 204 \r\n\r\nabc", "204 over left abc"),
        ("half a head", false, ok + "Content-", "open left HTTP/1.1 200 OK\r\nContent-"),
        ("half a body", false, ok + "Content-Length: 5\r\n\r\nabc", "200 abc open"),
        ("half a chunk", false, ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nab", "200 ab open"),
    ]

    @Test("in two pieces cut anywhere, and byte by byte", arguments: rows)
    func receives(when: String, isHEAD: Bool, bytes: String, expected: String) {
        let bytes = Array(bytes.utf8)

        for cut in 0...bytes.count { expect([bytes[..<cut], bytes[cut...]], isHEAD, expected) }
        expect(bytes.indices.map { bytes[$0...$0] }, isHEAD, expected)
    }

    private func expect(_ pieces: [ArraySlice<UInt8>], _ isHEAD: Bool, _ expected: String) {
        var copy = self
        copy.state.sent(isHEAD: isHEAD, isUpgrade: true)
        let outcome = copy.receive(pieces)

        let parts = [
            outcome.interims > 0 ? "\(outcome.interims) interim" : "",
            outcome.statuses.map(String.init).joined(),
            outcome.payload, outcome.isTunnel ? "tunnel" : "",
            outcome.isTunnel ? "" : outcome.isOver ? "over" : "open",
            outcome.left.isEmpty ? "" : "left \(outcome.left)",
        ]
        #expect(parts.filter { !$0.isEmpty }.joined(separator: " ") == expected)
        #expect(!outcome.isMalformed)
        #expect(copy.state.hasAnswered)
    }

    @Test(
        "what breaks the rules is refused, wherever it is cut",
        arguments: [
            "hello\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", ok + "A : b\r\n\r\n",
            ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", ok + "Transfer-Encoding: gzip\r\n\r\n",
            ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
            ok + "Transfer-Encoding: chunked\r\n\r\n+3\r\nabc",
            "HTTP/1.1 100 Continue\r\n\r\nhello\r\n\r\n", "HTTP/1.1 099 \r\n\r\n",
            "HTTP/1.1 101 \r\nUpgrade: x\r\n\r\n",
        ]
    )
    func refuses(bytes: String) {
        let bytes = Array(bytes.utf8)
        for cut in 0...bytes.count {
            var copy = self
            copy.state.sent(isHEAD: false, isUpgrade: false)

            #expect(copy.receive([bytes[..<cut], bytes[cut...]]).isMalformed)
        }
    }

    @Test("a head without end is refused")
    mutating func endlessHead() {
        state.sent(isHEAD: false, isUpgrade: false)
        let bytes = Array((Self.ok + "A: " + String(repeating: "a", count: 256 * 1024)).utf8)

        #expect(receive([bytes[...]]).isMalformed)
    }

    @Test("only a body that lasts until the connection ends may end with it")
    mutating func closes() {
        for (bytes, isProper) in [
            (Self.ok + "\r\n", true), (Self.ok + "\r\nabc", true), (Self.ok, false), ("", false),
            (Self.ok + "Content-Length: 3\r\n\r\nab", false),
            (Self.ok + "Content-Length: 3\r\n\r\nabc", false),
            (Self.ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", false),
            ("HTTP/1.1 101 \r\nUpgrade: x\r\n\r\n", false),
        ] {
            state.sent(isHEAD: false, isUpgrade: true)
            _ = receive([Array(bytes.utf8)[...]])

            #expect(state.closed() == isProper, "\(bytes)")
        }
    }

    @Test(
        "the connection carries another request only if the response says nothing against it",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\n\r\n", false),
        ]
    )
    mutating func keepsAlive(bytes: String, keeps: Bool) {
        state.sent(isHEAD: false, isUpgrade: false)
        _ = receive([Array(bytes.utf8)[...]])

        #expect(state.keepsAlive == keeps)
    }

    @Test("one response after the other, HEAD between them")
    mutating func continues() {
        for (isHEAD, bytes, payload) in [
            (false, Self.ok + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "a"),
            (true, Self.ok + "Content-Length: 3\r\n\r\n", ""),
            (false, Self.ok + "Content-Length: 3\r\n\r\nabc", "abc"),
        ] {
            #expect(state.phaseIsIdle)
            state.sent(isHEAD: isHEAD, isUpgrade: false)
            #expect(!state.hasAnswered)

            let outcome = receive([Array(bytes.utf8)[...]])

            #expect(outcome.payload == payload && outcome.isOver && outcome.left.isEmpty)
        }
    }

    @Test("bytes that nobody asked for are refused")
    mutating func unasked() {
        let bytes = Array(Self.ok.utf8)

        #expect(bytes.withUnsafeBytes { state.received(body: $0) { _ in } } == .malformed)
        guard case .malformed = bytes.withUnsafeBytes({ state.received(head: $0) }) else {
            Issue.record("a head was taken while none was expected")
            return
        }
    }
}

extension UpstreamState {
    fileprivate var phaseIsIdle: Bool {
        if case .idle = phase { true } else { false }
    }
}
