import Foundation
import TestSupport
import Testing
import Wire

@Suite("A body is accepted exactly when it is JSON")
struct JSONGrammarTests {
    /// Each stands as the value of a member.
    static let valid = [
        "0", "-0", "10", "1.5", "-1.50e0", "1E+9", "1e-9", "123456789012345678901234567890", "true", "false",
        "null",
        #""""#, #""a""#, #""\"\\\/\b\f\n\r\t\u00e9""#, #""\ud800""#, "\"\u{7F}\u{1F600}\"", "[]", "[ ]", "{}",
        "{\n}",
        "[1,2,3]", "[[],{}]", #"{"a":{"b":[{"c":null}]}}"#, " \t\r\n1\t", #"{"a":1,"a":2}"#, #"{"":""}"#,
        "[\(String(repeating: " ", count: 50))]", #"["\\","\\\\","\\\""]"#, #""0123456789abcdef\u0041""#,
    ]

    static let invalid = [
        "", "01", "-", "+1", ".5", "1.", "1.e1", "1e", "1e+", "0x1", "NaN", "Infinity", "tru", "True", "nul",
        "nullx", "'a'",
        "\"a", #""\x""#, #""\u12g4""#, #""\u123""#, "\"a\nb\"", "\"\u{0}\"", "\"0123456789abcdef\u{1F}\"",
        "[", "]", "[1",
        "[1,]", "[,1]", "[1 2]", "[1}", "{", "{a:1}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{"a":1]"#,
        #"{,"a":1}"#,
        #"{"a" 1}"#, "1 1", "\u{0}", "/**/1", "\u{FEFF}1", "\u{A0}1", "[1]]", #""\"#, #""\u"#, "--1", "1-",
        "[\"\\\"]",
    ]

    @Test("accepts every form of a value", arguments: valid)
    func accepts(value: String) {
        #expect(Conversation.scan("{\"v\":\(value)}", as: .other) != nil)
    }

    @Test("refuses what is no value", arguments: invalid)
    func refuses(value: String) {
        #expect(Conversation.scan("{\"v\":\(value)}", as: .other) == nil)
    }

    @Test(
        "refuses what is no object, and anything behind one",
        arguments: [
            "", " ", "1", "[]", "null", "{}x", "{}{}", "{},", "{}\u{0}", "\u{FEFF}{}", "{", "}",
        ]
    )
    func refusesOtherDocuments(body: String) {
        #expect(Conversation.scan(body, as: .other) == nil)
    }

    @Test("accepts white space around the object, and bytes in strings that are not UTF-8")
    func acceptsSpaceAndOddBytes() {
        let odd: [UInt8] = Array("{\"v\":\"".utf8) + [0xFF, 0xC3, 0x28, 0xED, 0xA0, 0x80] + Array("\"}".utf8)

        #expect(Conversation.scan(" \r\n\t{} \r\n\t", as: .other)?.body == 4..<6)
        #expect(Conversation.scan(odd, as: .other) != nil)
    }

    @Test("64 levels are understood, 65 are not", arguments: [("[", "]"), ("{\"a\":", "}")])
    func depth(open: String, close: String) {
        func nested(_ levels: Int) -> String {
            let inner = levels - 1
            let start = String(repeating: open, count: inner)
            return "{\"v\":\(start)1\(String(repeating: close, count: inner))}"
        }

        #expect(Conversation.scan(nested(64), as: .other) != nil)
        #expect(Conversation.scan(nested(65), as: .other) == nil)
    }

    @Test(
        "100,000 levels cost no stack",
        arguments: [
            "[", "{\"a\":", "{\"messages\":", "{\"messages\":[{\"content\":", "{\"tools\":[",
        ]
    )
    func deepNesting(open: String) {
        #expect(
            Conversation.scan("{\"messages\":[]," + "\"v\":" + String(repeating: open, count: 100_000)) == nil
        )
        #expect(Conversation.scan(String(repeating: open, count: 100_000)) == nil)
    }

    @Test("agrees with Foundation on random documents and on damaged ones", arguments: 0..<300)
    func agreesWithFoundation(seed: Int) {
        var random = RandomJSON(seed: UInt64(seed))
        let document = random.object()
        let damaged = random.damaged(document)

        #expect(Conversation.scan(document, as: .other) != nil)
        for body in [document, damaged] where !RandomJSON.isJudgedDifferently(body) {
            let expected = (try? JSONSerialization.jsonObject(with: Data(body))) is [String: Any]
            let isAccepted = Conversation.scan(body, as: .other) != nil
            #expect(isAccepted == expected, "\(String(decoding: body, as: UTF8.self))")
        }
    }

    @Test("a body cut anywhere is refused", arguments: 0..<20)
    func refusesCutBodies(seed: Int) {
        var random = RandomJSON(seed: UInt64(seed))
        let document = random.object()

        for length in 0..<document.count where document[length...].contains(where: { $0 > 0x20 }) {
            #expect(Conversation.scan(Array(document[..<length]), as: .other) == nil)
        }
    }
}
