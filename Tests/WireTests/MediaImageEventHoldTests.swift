import TestSupport
import Testing
import Wire

@Suite("Events of a stream are held until it is known whether an image is in them")
struct MediaImageEventHoldTests {
    /// What comes out of a stream in these pieces; events to rewrite stand in angle brackets.
    private func output(
        _ pieces: [[UInt8]],
        maxPlainBytes: Int = 1 << 16,
        maxImageBytes: Int = 1 << 26
    ) -> (text: String, afterPieces: [Int]) {
        var hold = EventHold(maxPlainBytes: maxPlainBytes, maxImageBytes: maxImageBytes)
        var held: [UInt8] = []
        var text: [UInt8] = []
        var afterPieces: [Int] = []
        for piece in pieces {
            held += piece
            while drop(held.withUnsafeBytes { hold.next($0) }, &held, &text) {}
            afterPieces.append(held.count)
        }
        _ = drop(held.withUnsafeBytes { hold.finish($0) }, &held, &text)
        return (MediaImageBodies.text(text), afterPieces)
    }

    private func drop(_ step: EventHold.Step, _ held: inout [UInt8], _ text: inout [UInt8]) -> Bool {
        switch step {
        case .letGo(let count):
            text += held.prefix(count)
            held.removeFirst(count)
        case .rewrite(let count):
            text += [UInt8(ascii: "<")] + held.prefix(count) + [UInt8(ascii: ">")]
            held.removeFirst(count)
        case .wait: return false
        }
        return true
    }

    static let image = "data: {\"url\":\"data:image/png;base64,AAAA\"}"

    static let long = "data: " + String(repeating: "a", count: 99) + "\n\n"

    static let streams: [(stream: String, output: String)] = [
        ("", ""),
        ("data: a\n\ndata: b\n\n", "data: a\n\ndata: b\n\n"),
        ("data: a\n\n\(image)\n\ndata: b\n\n", "data: a\n\n<\(image)\n\n>data: b\n\n"),
        ("\(image)\n\n\(image)\n\n", "<\(image)\n\n><\(image)\n\n>"),
        ("event: x\n\(image)\nid: 1\n\ndata: b\n\n", "<event: x\n\(image)\nid: 1\n\n>data: b\n\n"),
        ("\(image)\r\rdata: b\r\r", "<\(image)\r\r>data: b\r\r"),
        ("\(image)\n\n", "<\(image)\n\n>"),
        (image, "<\(image)>"),
        (
            "\(long)\(image)\n\n\(long)\(long)\(image)\n\n",
            "\(long)<\(image)\n\n>\(long)\(long)<\(image)\n\n>"
        ),
        ("data: a", "data: a"),
        (
            "data: \"b64_json\"\n\ndata: \"inlineData\"\n\n",
            "<data: \"b64_json\"\n\n><data: \"inlineData\"\n\n>"
        ),
    ]

    @Test("the same comes out, however the stream is cut", arguments: streams)
    func cutsAnywhere(stream: String, output: String) {
        let bytes = Array(stream.utf8)

        for cut in 0...bytes.count {
            #expect(self.output([Array(bytes[..<cut]), Array(bytes[cut...])]).text == output)
        }
        #expect(self.output(bytes.map { [$0] }).text == output)
    }

    @Test("with CRLF too, but for the LF behind an event, which may come later")
    func cutsReturns() {
        let bytes = Array("data: a\r\n\r\n\(Self.image)\r\n\r\ndata: b\r\n\r\n".utf8)
        let expected = "data: a\r\n\r\n<\(Self.image)\r\n\r\n>data: b\r\n\r\n"

        for cut in 0...bytes.count {
            let text = output([Array(bytes[..<cut]), Array(bytes[cut...])]).text
            #expect(text.replacing("\r>\n", with: "\r\n>") == expected)
        }
        #expect(output(bytes.map { [$0] }).text.replacing("\r>\n", with: "\r\n>") == expected)
    }

    @Test(
        "of complete events nothing is held",
        arguments: [
            (["data: a\n\n"], [0]), (["data: a\r\r"], [0]), (["data: a\r\n\r", "\n"], [0, 0]),
            (["data: a\r", "\n\r", "\n", "data: b"], [8, 0, 0, 7]),
            (["data: a\n\ndata: b", "c\n", "\n"], [7, 9, 0]),
            (["data: a\n", "\ndata: ;base", "64,", "\n\n"], [8, 11, 14, 0]),
            (["\n", "\n\n"], [0, 0]),
        ]
    )
    func holdsNothing(pieces: [String], held: [Int]) {
        #expect(output(pieces.map { Array($0.utf8) }).afterPieces == held)
    }

    @Test(
        "an event that is too long is let go, and the rest of it as it comes",
        arguments: [
            (
                ["0123456789", "0", ";base64,", "\n\n;base64,\n\n"], [10, 0, 0, 0],
                "01234567890;base64,\n\n<;base64,\n\n>"
            ),
            (["0123456789;base64,", "0\n\n"], [18, 0], "<0123456789;base64,0\n\n>"),
            (["0123456789;base64,", "0", "0;base64,\n", "\na\n\n"], [18, 19, 0, 0], nil),
            (["0123456789;base64,", "01", "\n\n"], [18, 20, 0], nil),
        ] as [([String], [Int], String?)]
    )
    func letsGo(pieces: [String], held: [Int], text: String?) {
        let result = output(pieces.map { Array($0.utf8) }, maxPlainBytes: 10, maxImageBytes: 20)

        #expect(result.afterPieces == held)
        if let text { #expect(result.text == text) }
    }

    @Test("recorded streams with images come out the same, in any pieces", arguments: 0..<10)
    func cutsRecordings(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        for name in ["litellm-gem-image-stream", "owui-chat-assistant-images", "owui-chat-stream"] {
            let answer = try RecordedExchange("\(name).response.http")
            var rest = answer.body[...]
            var pieces: [[UInt8]] = []
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1..<120, using: &random))
                pieces.append(Array(piece))
                rest = rest.dropFirst(piece.count)
            }

            let whole = output([answer.body]).text

            #expect(output(pieces).text == whole)
            #expect(whole.contains("<") == (name != "owui-chat-stream"))
        }
    }
}
