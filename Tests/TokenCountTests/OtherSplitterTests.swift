import Testing

@testable import TokenCount

@Suite("Text is cut as the rule of each family says")
struct OtherSplitterTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var when: String
        var text: String
        var pieces: [String]

        init(_ when: String, _ text: String, _ pieces: [String]) {
            self.when = when
            self.text = text
            self.pieces = pieces
        }

        var testDescription: String { when }
    }

    static let llama3Rows: [Row] = [
        Row("digits by three", "12345", ["123", "45"]),
        Row("whitespace at the end is cut after its last line end", "a \n  ", ["a", " \n", "  "]),
        Row("symbols take line ends but no slashes", "a:\n//", ["a", ":\n", "//"]),
        Row("a contraction in any case", "it'LL it'ſ", ["it", "'LL", " it", "'ſ"]),
    ]

    @Test("pieces of Llama 3", arguments: llama3Rows)
    func llama3(_ row: Row) {
        #expect(Encoding.llama3.pieces(of: row.text) == row.pieces)
    }

    static let qwen2Rows: [Row] = [
        Row("every digit alone", "a12 3٣", ["a", "1", "2", " ", "3", "٣"]),
        Row("a composed letter", "e\u{301}a", ["\u{E9}a"]),
        Row("whitespace at the end is cut after its last line end", "a \n  ", ["a", " \n", "  "]),
    ]

    @Test("pieces of Qwen 2", arguments: qwen2Rows)
    func qwen2(_ row: Row) {
        #expect(Encoding.qwen2.pieces(of: row.text) == row.pieces)
    }

    static let gpt2Rows: [Row] = [
        Row("only a space goes with a word", "a\tb !c", ["a", "\t", "b", " !", "c"]),
        Row("numbers of any length with their space", "a 12345٣b", ["a", " 12345٣", "b"]),
        Row("contractions in small letters only", "it's it'S 'ſ", ["it", "'s", " it", "'", "S", " '", "ſ"]),
        Row("a contraction before letters", "'sa", ["'s", "a"]),
        Row("symbols take no line end", "a:\nb", ["a", ":", "\n", "b"]),
        Row("the last scalar of whitespace goes on", "a \n \n  b", ["a", " \n \n ", " b"]),
        Row("whitespace at the end", "a \n  ", ["a", " \n  "]),
        Row("a mark is a symbol", "e\u{301}a", ["e", "\u{301}", "a"]),
    ]

    @Test("pieces of GPT-2", arguments: gpt2Rows)
    func gpt2(_ row: Row) {
        #expect(Encoding.p50kBase.pieces(of: row.text) == row.pieces)
    }

    static let gemmaRows: [Row] = [
        Row("a word takes the one space before it", "the quick fox", ["the", " quick", " fox"]),
        Row("two spaces stand apart", "a  b", ["a", "  ", "b"]),
        Row(
            "thirty-two are thirty-one and one",
            "a" + String(repeating: " ", count: 32) + "b",
            [
                "a", String(repeating: " ", count: 31), " b",
            ]
        ),
        Row("line ends and tabs", "a\n\n\t\tb\r", ["a", "\n\n", "\t\t", "b", "\r"]),
        Row("digits", " 12a", [" ", "1", "2", "a"]),
        Row("the block that stands for a space is one", "a\u{2581}b", ["a", " b"]),
        Row("a space within a token", "<b> </b>", ["<", "b", "> </", "b", ">"]),
    ]

    @Test("pieces of Gemma", arguments: gemmaRows)
    func gemma(_ row: Row) {
        #expect(Encoding.gemma.pieces(of: row.text) == row.pieces)
    }
}
