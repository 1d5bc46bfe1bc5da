/// The first place where a text stops being JSON (RFC 8259), and what belongs there.
///
/// The decoder judges a file, but does not say where it stumbled. This only finds the place for the person who
/// has to mend it, after the decoder has refused.
struct SyntaxFault: Error, Equatable {
    /// From 1.
    var line: Int
    /// From 1, in characters.
    var column: Int
    var wanted: String

    /// Nil when the fault is none of grammar, such as half of a surrogate pair or a number out of range.
    static func first(in text: String) -> Self? {
        var reader = Reader(text: Array(text.utf8))
        do throws(Reader.Stop) {
            try reader.document()
            return nil
        } catch {
            return Self(error, after: reader.text[..<reader.position])
        }
    }

    private init(_ stop: Reader.Stop, after read: ArraySlice<UInt8>) {
        let lines = read.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        line = lines.count
        column = String(decoding: lines.last ?? [], as: UTF8.self).count + 1
        wanted = stop.wanted
    }

    init(line: Int, column: Int, wanted: String) {
        self.line = line
        self.column = column
        self.wanted = wanted
    }

    /// Reads over a text; its position is where it stops.
    private struct Reader {
        struct Stop: Error {
            var wanted: String
        }

        /// Deeper than any configuration, and shallow for the stack.
        static let maximumDepth = 64

        let text: [UInt8]
        var position = 0

        private var byte: UInt8? {
            position < text.count ? text[position] : nil
        }

        mutating func document() throws(Stop) {
            try value(depth: 0)
            guard byte == nil else { throw Stop(wanted: "nothing more") }
        }

        private mutating func value(depth: Int) throws(Stop) {
            skipSpace()
            guard depth < Self.maximumDepth else { throw Stop(wanted: "fewer levels") }
            switch byte {
            case UInt8(ascii: "{"): try items(until: "}", depth: depth, keyed: true)
            case UInt8(ascii: "["): try items(until: "]", depth: depth, keyed: false)
            case UInt8(ascii: "\""): try string()
            default: try word()
            }
            skipSpace()
        }

        private mutating func items(until end: Unicode.Scalar, depth: Int, keyed: Bool) throws(Stop) {
            position += 1
            skipSpace()
            if take(end) { return }
            repeat {
                if keyed { try key() }
                try value(depth: depth + 1)
            } while take(",")
            guard take(end) else { throw Stop(wanted: "a comma or \(end)") }
        }

        private mutating func key() throws(Stop) {
            skipSpace()
            guard byte == UInt8(ascii: "\"") else { throw Stop(wanted: "a key in double quotes") }
            try string()
            skipSpace()
            guard take(":") else { throw Stop(wanted: "a colon") }
        }

        private mutating func string() throws(Stop) {
            position += 1
            while !take("\"") {
                guard let byte, byte >= 0x20 else { throw Stop(wanted: "a closing quote") }
                position += 1
                guard byte == UInt8(ascii: "\\") else { continue }
                guard let escape = self.byte, #""\/bfnrtu"#.utf8.contains(escape) else {
                    throw Stop(wanted: #"one of " \ / b f n r t u"#)
                }
                position += 1
            }
        }

        /// A number or literal.
        private mutating func word() throws(Stop) {
            let word = text[position...].prefix { !",:]}\" \t\r\n".utf8.contains($0) }
            let isLiteral = ["true", "false", "null"].contains { word.elementsEqual($0.utf8) }
            guard isLiteral || Self.isNumber(word) else { throw Stop(wanted: "a value") }
            position = word.endIndex
        }

        private static func isNumber(_ word: ArraySlice<UInt8>) -> Bool {
            word.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
                && word.first != UInt8(ascii: "+") && word.first != UInt8(ascii: ".")
                && Double(String(decoding: word, as: UTF8.self)) != nil
        }

        private mutating func skipSpace() {
            while let byte, " \t\r\n".utf8.contains(byte) { position += 1 }
        }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard byte == UInt8(ascii: scalar) else { return false }
            position += 1
            return true
        }
    }
}
