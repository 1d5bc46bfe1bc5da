import Foundation
import TestSupport
import Testing
import Wire

@Suite("Strings of a document are compared and decoded in place")
struct JSONTextTests {
    static let decoded: [(written: String, text: String)] = [
        ("plain", "plain"),
        ("", ""),
        (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t"),
        (#"\u0041\u00e9\u4E2d"#, "Aé中"),
        (#"\ud83d\ude00!"#, "😀!"),
        (#"\uD83D\uDE00"#, "😀"),
        (#"a\ud800b"#, "a\u{FFFD}b"),
        (#"\ude00"#, "\u{FFFD}"),
        (#"\ud800\ud800\udc00"#, "\u{FFFD}\u{10000}"),
        (#"\ud800\u0041"#, "\u{FFFD}A"),
        (#"\udbff\udfff"#, "\u{10FFFF}"),
        (
            #"long enough for a vector, then \n, then long enough again"#,
            "long enough for a vector, then \n, then long enough again"
        ),
        (#"\u0000"#, "\u{0}"),
    ]

    private func text(_ written: String) throws -> (body: [UInt8], text: JSONText) {
        let body = "{\"model\":\"\(written)\"}"
        return (Array(body.utf8), try #require(Conversation.scan(body, as: .other)?.model))
    }

    @Test("escapes are decoded", arguments: decoded)
    func decodes(written: String, expected: String) throws {
        let (body, text) = try text(written)

        body.withUnsafeBytes { body in
            var bytes: [UInt8] = Array("before".utf8)
            text.append(to: &bytes, from: body)
            #expect(text.string(in: body) == expected)
            #expect(bytes == Array("before\(expected)".utf8))
            #expect(text.isEqual(to: expected, in: body))
            #expect(!text.isEqual(to: expected + "x", in: body))
        }
    }

    @Test("a key is the same however it is spelled")
    func comparesEscapedKeys() {
        let body = #"{"m\u006fdel":"gpt\u002d4o","messages":[{"r\u006fle":"us\u0065r","\u0063ontent":"hi"}]}"#
        let conversation = Conversation.scan(body)

        #expect(conversation?.summary(in: body) == ["user: text=hi"])
        Array(body.utf8).withUnsafeBytes {
            #expect(conversation?.model?.isEqual(to: "gpt-4o", in: $0) == true)
        }
    }

    static let prefixes: [(written: String, starts: Bool)] = [
        ("### Task: do", true), ("### Task:", true), ("### Task", false), ("", false), (" ### Task:", false),
        (#"\u0023## \u0054ask:\nmore"#, true),
        (#"\u0023\u0023\u0023\u0020\u0054\u0061\u0073\u006b\u003a\u0021"#, true),
        (#"\u0023\u0023\u0023\u0020\u0054\u0061\u0073\u006b\u003b\u0021"#, false),
    ]

    @Test("a prefix is found without decoding the rest", arguments: prefixes)
    func findsPrefixes(written: String, starts: Bool) throws {
        let (body, text) = try text(written)

        body.withUnsafeBytes { #expect(text.hasPrefix("### Task:", in: $0) == starts) }
    }

    @Test("what is quoted reads back as it was", arguments: 0..<100)
    func quotesAndReads(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let scalars = (0..<Int.random(in: 0..<80, using: &random)).map { _ in
            Unicode.Scalar(
                UInt32.random(in: 0..<(Bool.random(using: &random) ? 0x80 : 0xD800), using: &random)
            ) ?? "x"
        }
        let original = String(String.UnicodeScalarView(scalars))

        let quoted = quotedJSON(original)

        let read = try JSONSerialization.jsonObject(with: Data(quoted), options: .fragmentsAllowed) as? String
        #expect(read.map { Array($0.utf8) } == Array(original.utf8))
        let (body, text) = try text(String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self))
        body.withUnsafeBytes { #expect(Array(text.string(in: $0).utf8) == Array(original.utf8)) }
    }

    @Test("bytes that are not UTF-8 are quoted as they are")
    func quotesOddBytes() {
        #expect(quotedJSON(utf8: [0xFF, 0x0A, 0xC3]) == [0x22, 0xFF, 0x5C, 0x6E, 0xC3, 0x22])
        #expect(quotedJSON("\u{1}\u{1F}") == Array(#""\u0001\u001f""#.utf8))
    }
}
