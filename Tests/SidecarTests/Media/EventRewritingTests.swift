import NIOCore
import TestSupport
import Testing

@testable import Sidecar

@Suite("Events with an image wait for it, and with them what follows")
struct EventRewritingTests {
    private static let plain = "data: {\"a\":1}\n\n"
    private static let image = "data: {\"url\":\"data:image/png;base64,AAAA\"}\n\n"

    /// What passes, with rewritten events in brackets.
    private func passed(_ pieces: [String]) -> String {
        let events = EventRewriting()
        var out = ""
        func drain() {
            while true {
                switch events.next() {
                case .pass(let bytes): out += String(buffer: bytes)
                case .rewrite(let event):
                    #expect(events.isRewriting)
                    if case .wait = events.next() {} else { Issue.record("something overtakes the event") }
                    out += "[" + String(buffer: event) + "]"
                    events.rewritten()
                case .wait: return
                }
            }
        }
        for piece in pieces {
            events.take(ByteBuffer(string: piece))
            drain()
        }
        events.end()
        drain()
        #expect(events.heldCount == 0)
        return out
    }

    @Test("however the stream is cut", arguments: 0..<40 as Range<UInt64>)
    func cuts(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let stream = Self.plain + Self.image + Self.plain + Self.plain + Self.image + "data: [DONE]\n\n"
        var pieces: [String] = []
        var rest = Substring(stream)
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...40, using: &random))
            pieces.append(String(piece))
            rest = rest[piece.endIndex...]
        }
        let expected =
            Self.plain + "[" + Self.image + "]" + Self.plain + Self.plain + "[" + Self.image + "]"
            + "data: [DONE]\n\n"

        #expect(passed(pieces) == expected)
    }

    @Test("a whole event passes at once, an incomplete one not")
    func promptness() {
        let events = EventRewriting()
        events.take(ByteBuffer(string: Self.plain + "data: {\"b"))

        guard case .pass(let bytes) = events.next() else {
            Issue.record("nothing passed")
            return
        }
        #expect(String(buffer: bytes) == Self.plain)
        #expect(events.endsAtEvent)
        guard case .wait = events.next() else {
            Issue.record("half an event passed")
            return
        }
    }

    @Test("a last event without an empty line passes at the end")
    func unended() {
        #expect(passed([Self.plain, "data: {\"b\":2}\n"]) == Self.plain + "data: {\"b\":2}\n")
    }
}

@Suite("What became of images is told in few words")
struct ImageCountsTests {
    @Test("only what there was")
    func text() {
        var counts = ImageCounts()
        #expect(counts.isEmpty && counts.text.isEmpty)

        counts[.deduplicated] = 9
        counts[.uploaded] = 1
        var more = ImageCounts()
        more[.uploaded] = 2
        counts += more

        #expect(counts.text == "uploaded=3;deduplicated=9")
    }

    @Test("every result has a place of its own")
    func places() {
        for result in ImageCounts.Result.allCases {
            var counts = ImageCounts()
            counts[result] = 7
            #expect(counts.text == "\(result.rawValue)=7")
        }
    }
}
