import TestSupport

/// Makes JSON with everything that writers of JSON may do and seldom do.
struct RandomJSON {
    var random: SplitMix

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
    }

    mutating func object() -> [UInt8] {
        Array((space() + "{" + members(depth: 0) + "}" + space()).utf8)
    }

    /// One byte changed, left out or put in.
    mutating func damaged(_ document: [UInt8]) -> [UInt8] {
        var document = document
        let position = Int.random(in: 0..<document.count, using: &random)
        let byte = Array("{}[]\",:\\ \n\t\u{1}09-+.eEtfnux".utf8).randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<3, using: &random) {
        case 0: document[position] = byte
        case 1: document.remove(at: position)
        default: document.insert(byte, at: position)
        }
        return document
    }

    /// Foundation refuses lone surrogates, bytes that are not UTF-8 and numbers out of a Double's range; RFC
    /// 8259 leaves all three open, and upstreams are to judge them.
    static func isJudgedDifferently(_ body: [UInt8]) -> Bool {
        let text = String(decoding: body, as: UTF8.self)
        return Array(text.utf8) != body || text.contains(/\\u[dD][89a-fA-F]/)
            || text.contains(/[eE][+-]?\d{3,}/)
    }

    mutating func string() -> String {
        let pieces = [
            "a", "content", "é", "中文", "😀", #"\n"#, #"\""#, #"\\"#, #"\/"#, #"\u00e9"#, #"\ud83d\ude00"#,
            #"\u0000"#,
            "plain text of some length, more than a vector holds", "{", "}", "[", "]", ",", ":", "\u{7F}",
        ]
        let count = Int.random(in: 0..<6, using: &random)
        return "\"" + (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined() + "\""
    }

    mutating func space() -> String {
        ["", "", "", " ", "\n  ", "\r\n", "\t", "            "].randomElement(using: &random) ?? ""
    }

    mutating func value(depth: Int) -> String {
        switch Int.random(in: 0..<(depth < 5 ? 8 : 6), using: &random) {
        case 0: return "null"
        case 1: return Bool.random(using: &random) ? "true" : "false"
        case 2:
            return ["0", "-0", "12", "-3.25", "1e5", "1.5E-7", "0.1"].randomElement(using: &random) ?? "0"
        case 3...5: return string()
        case 6: return "[" + list { $0.value(depth: depth + 1) } + "]"
        default: return "{" + members(depth: depth + 1) + "}"
        }
    }

    private mutating func members(depth: Int) -> String {
        list { $0.string() + $0.space() + ":" + $0.space() + $0.value(depth: depth) }
    }

    private mutating func list(of element: (inout RandomJSON) -> String) -> String {
        let count = Int.random(in: 0..<5, using: &random)
        let elements = (0..<count).map { _ in space() + element(&self) + space() }
        return elements.isEmpty ? space() : elements.joined(separator: ",")
    }
}
