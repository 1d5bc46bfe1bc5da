import Testing

@testable import TokenCount

@Suite("Text is cut as the encoding's regular expression cuts it")
struct SplitterTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var text: String
        var o200k: [String]
        var cl100k: [String]

        init(_ when: String, _ text: String, o200k: [String], cl100k: [String]) {
            self.when = when
            self.text = text
            self.o200k = o200k
            self.cl100k = cl100k
        }

        init(_ when: String, _ text: String, both: [String]) {
            self.init(when, text, o200k: both, cl100k: both)
        }

        var testDescription: String { when }
    }

    static let words = [
        Row("a word takes the space before it", "the quick fox", both: ["the", " quick", " fox"]),
        Row("a word takes any one symbol before it", "(word \tword", both: ["(word", " ", "\tword"]),
        Row("a word takes no line end before it", "\nword", both: ["\n", "word"]),
        Row(
            "case cuts words",
            "camelCaseWORDSend",
            o200k: ["camel", "Case", "WORDSend"],
            cl100k: ["camelCaseWORDSend"]
        ),
        Row("a letter without case ends an upper run", "中ABC中", o200k: ["中ABC中"], cl100k: ["中ABC中"]),
        Row(
            "capitals are given back to the last letter without case",
            "中ABC",
            o200k: ["中", "ABC"],
            cl100k: ["中ABC"]
        ),
        Row("a title-case letter is upper", "aǅb", o200k: ["a", "ǅb"], cl100k: ["aǅb"]),
        Row("more than eight letters", " internationalization.", both: [" internationalization", "."]),
        Row(
            "scalars that are letters only after Unicode 16 are symbols",
            "a\u{16EA0}b \u{323B0}c",
            both: ["a", "\u{16EA0}b", " \u{323B0}", "c"]
        ),
    ]

    static let marks = [
        Row("a mark belongs to a word", "e\u{301}a", o200k: ["e\u{301}a"], cl100k: ["e", "\u{301}a"]),
        Row("a mark alone", "\u{301}", both: ["\u{301}"]),
        Row(
            "a mark before capitals stands alone",
            "\u{301}ABC",
            o200k: ["\u{301}", "ABC"],
            cl100k: ["\u{301}ABC"]
        ),
        Row("a mark before small letters", "\u{301}abc", both: ["\u{301}abc"]),
        Row("a mark takes a contraction", "\u{301}'s", o200k: ["\u{301}'s"], cl100k: ["\u{301}'", "s"]),
        Row("a mark after symbols", "!!\u{301}a", both: ["!!\u{301}", "a"]),
    ]

    static let contractions = [
        Row("a contraction", "it's we'LL", o200k: ["it's", " we'LL"], cl100k: ["it", "'s", " we", "'LL"]),
        Row("the long s is an s", "it'ſ", o200k: ["it'ſ"], cl100k: ["it", "'ſ"]),
        Row(
            "without a word before it",
            "'sa 're",
            o200k: ["'sa", " '", "re"],
            cl100k: ["'s", "a", " '", "re"]
        ),
        Row(
            "half a contraction",
            "a'r a'v",
            o200k: ["a", "'r", " a", "'v"],
            cl100k: ["a", "'r", " a", "'v"]
        ),
        Row("a typographic apostrophe is none", "it’s", both: ["it", "’s"]),
    ]

    static let numbersAndSymbols = [
        Row("digits by three", "1234567 ٣½Ⅷ1", both: ["123", "456", "7", " ", "٣½Ⅷ", "1"]),
        Row("symbols take one space and line ends", "a !?\n\nb", both: ["a", " !?\n\n", "b"]),
        Row(
            "slashes among line ends",
            "a:\n//\nb",
            o200k: ["a", ":\n//\n", "b"],
            cl100k: ["a", ":\n", "//\n", "b"]
        ),
        Row("special tokens are text", "<|endoftext|>", both: ["<|", "endoftext", "|>"]),
    ]

    static let whitespace = [
        Row("the last space goes with the word", "a   b", both: ["a", "  ", " b"]),
        Row("the last other space does not", "a\u{3000}\u{3000}1", both: ["a", "\u{3000}", "\u{3000}", "1"]),
        Row("up to the last line end", "a \n \n  b", both: ["a", " \n \n", " ", " b"]),
        Row("at the end of the text", "a \n  ", o200k: ["a", " \n", "  "], cl100k: ["a", " \n  "]),
        Row(
            "next line and no-break space are whitespace",
            "\u{85}\u{A0} 1",
            both: ["\u{85}\u{A0}", " ", "1"]
        ),
        Row(
            "zero-width space and byte order mark are not",
            "\u{200B}\u{FEFF} 1",
            both: ["\u{200B}\u{FEFF}", " ", "1"]
        ),
    ]

    @Test("pieces", arguments: words + marks + contractions + numbersAndSymbols + whitespace)
    func pieces(_ row: Row) {
        #expect(Encoding.o200kBase.pieces(of: row.text) == row.o200k)
        #expect(Encoding.cl100kBase.pieces(of: row.text) == row.cl100k)
    }

    @Test("the scalars that are passed over as Chinese are letters, and no others are")
    func chinese() {
        let wrong = (UInt32(0x80)...0xFFFF).compactMap(Unicode.Scalar.init).filter { scalar in
            Array(String(scalar).utf8).withUnsafeBufferPointer { bytes in
                guard let start = bytes.baseAddress else { return true }
                let text = ClassifiedText(start, count: bytes.count)
                let isPassed = text.chineseEnd(from: 0) > 0
                return isPassed != (0x4E00...0x9FFF ~= scalar.value)
                    || isPassed && text.scalar(at: 0) != (.letter, 3)
            }
        }

        #expect(wrong.isEmpty)
    }
}
