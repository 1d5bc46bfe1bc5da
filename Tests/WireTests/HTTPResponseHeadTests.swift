import TestSupport
import Testing
import Wire

@Suite("A response head tells how long the body is and whether the connection lives on")
struct HTTPResponseHeadTests {
    private func summary(_ text: String, toHEAD: Bool = false) throws -> String {
        let head = try ResponseHead.reading(Array(text.utf8), toHEAD: toHEAD).get().head
        let interim = head.isInterim ? " interim" : ""
        return "\(head.status) \(head.framing) \(head.keepsAlive ? "keeps" : "closes")\(interim)"
    }

    static let accepted: [(lines: [String], summary: String)] = [
        (["HTTP/1.1 200 OK", "Content-Length: 3"], "200 length(3) keeps"),
        (["HTTP/1.1 200 OK", "Content-Length: 0"], "200 none keeps"),
        (["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"], "200 chunked keeps"),
        (["HTTP/1.1 200 OK"], "200 untilClose closes"),
        (["HTTP/1.1 200 OK", "Connection: keep-alive"], "200 untilClose closes"),
        (["HTTP/1.1 200", "Content-Length: 3"], "200 length(3) keeps"),
        (["HTTP/1.1 200 ", "Content-Length: 3"], "200 length(3) keeps"),
        (["HTTP/1.1 404 Nicht gefundén\t!", "Content-Length: 3"], "404 length(3) keeps"),
        (["HTTP/1.1 200 OK", "Content-Length: 3", "Connection: Close"], "200 length(3) closes"),
        (["HTTP/1.0 200 OK", "Content-Length: 3"], "200 length(3) closes"),
        (["HTTP/1.0 200 OK", "Content-Length: 3", "Connection: keep-alive"], "200 length(3) keeps"),
        (["HTTP/1.1 204 No Content"], "204 none keeps"),
        (["HTTP/1.1 204 No Content", "Content-Length: 3"], "204 none keeps"),
        (["HTTP/1.1 304 Not Modified", "Content-Length: 3"], "304 none keeps"),
        (["HTTP/1.1 304 Not Modified", "Transfer-Encoding: chunked"], "304 none keeps"),
        (["HTTP/1.1 100 Continue"], "100 none keeps interim"),
        (["HTTP/1.1 103 Early Hints", "Link: </a>"], "103 none keeps interim"),
        (["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: x"], "101 none keeps"),
        (["HTTP/1.1 529 ", "Content-Length: 1"], "529 length(1) keeps"),
        (["HTTP/1.1 999 x", "Content-Length: 1"], "999 length(1) keeps"),
    ]

    @Test("accepted", arguments: accepted)
    func accepts(lines: [String], summary: String) throws {
        #expect(try self.summary(headText(lines)) == summary)
    }

    @Test(
        "an answer to HEAD has no body, whatever it says",
        arguments: [["Content-Length: 3"], ["Transfer-Encoding: chunked"], []] as [[String]]
    )
    func answersHEAD(fields: [String]) throws {
        #expect(try summary(headText(["HTTP/1.1 200 OK"] + fields), toHEAD: true) == "200 none keeps")
    }

    static let refused: [(lines: [String], why: HeadError)] = [
        (["HTTP/1.2 200 OK"], .syntax("a bad status line")),
        (["HTTP/2 200 OK"], .syntax("a bad status line")),
        (["http/1.1 200 OK"], .syntax("a bad status line")),
        (["HTTP/1.1\t200 OK"], .syntax("a bad status line")),
        (["HTTP/1.1  200 OK"], .syntax("a bad status code")),
        (["HTTP/1.1 20 OK"], .syntax("a bad status code")),
        (["HTTP/1.1 2000 OK"], .syntax("a bad status code")),
        (["HTTP/1.1 099 OK"], .syntax("a bad status code")),
        (["HTTP/1.1 2O0 OK"], .syntax("a bad status code")),
        (["HTTP/1.1 -20 OK"], .syntax("a bad status code")),
        (["HTTP/1.1"], .syntax("a bad status line")),
        (["hello"], .syntax("a bad status line")),
        ([""], .syntax("a bad status line")),
        (["HTTP/1.1 200 OK\u{0}"], .syntax("a control character in the head")),
        (["HTTP/1.1 200 OK\rA: b"], .syntax("a bare carriage return")),
        (["HTTP/1.1 200 OK", " A: b"], .syntax("a folded header line")),
        (["HTTP/1.1 200 OK", "A : b"], .syntax("a bad header name")),
        (
            ["HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 3"],
            .syntax("more than one Content-Length")
        ),
        (
            ["HTTP/1.1 200 OK", "Content-Length: 2", "Transfer-Encoding: chunked"],
            .syntax("both Content-Length and Transfer-Encoding")
        ),
        (["HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"], .unknownTransferCoding),
    ]

    @Test("refused", arguments: refused)
    func refuses(lines: [String], why: HeadError) {
        guard case .failure(let error) = ResponseHead.reading(Array(headText(lines).utf8)) else {
            Issue.record("accepted")
            return
        }
        #expect(error == why)
    }

    @Test("captured answers are understood")
    func readsCaptures() throws {
        for name in try RecordedExchange.names("response") {
            let capture = try Fixtures.bytes("captures/\(name)")

            let (head, bytes) = try ResponseHead.reading(capture).get()

            #expect(try head.status == RecordedExchange(name).status, "\(name)")
            #expect(head.fields.last?.end == bytes.count - 2 && head.byteCount == bytes.count)
            #expect(!head.isInterim)
        }
    }
}
