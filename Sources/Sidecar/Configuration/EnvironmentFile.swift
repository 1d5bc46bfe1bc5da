/// Reads the lines `KEY=VALUE` of a file given as `--env-file`.
///
/// Blank lines and lines that begin with `#` are skipped, `export ` before a key is allowed. A value in single
/// quotes is taken as it stands; in double quotes `\n`, `\t`, `\"` and `\\` are escapes; without quotes it ends
/// before ` #`. Nothing is substituted.
enum EnvironmentFile {
    /// - Parameter path: for the places of problems only.
    /// - Throws: ``ConfigurationError`` with every line that is not understood; never with what the line holds,
    ///   since that may be a secret.
    static func variables(in text: String, path: String) throws(ConfigurationError) -> [String: String] {
        var variables: [String: String] = [:]
        var problems: [ConfigurationError.Problem] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .enumerated()
        {
            let line = trimmed(line)
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            if let (key, value) = assignment(line) {
                variables[key] = value
            } else {
                problems.append(
                    .init("\(path):\(index + 1)", "not KEY=VALUE; write one variable a line, quotes closed")
                )
            }
        }
        if let error = ConfigurationError(problems) { throw error }
        return variables
    }

    private static func assignment(_ line: Substring) -> (key: String, value: String)? {
        let line = line.hasPrefix("export ") ? trimmed(line.dropFirst("export ".count)) : line
        guard let equals = line.firstIndex(of: "=") else { return nil }
        let key = trimmed(line[..<equals])
        guard Reference.isName(key), let value = value(trimmed(line[line.index(after: equals)...])) else {
            return nil
        }
        return (String(key), value)
    }

    /// Nil when a quote is not closed.
    private static func value(_ text: Substring) -> String? {
        switch text.first {
        case "'":
            quoted(text.dropFirst(), by: "'", escapes: false)
        case "\"":
            quoted(text.dropFirst(), by: "\"", escapes: true)
        default:
            String(trimmed(withoutComment(text)))
        }
    }

    private static func quoted(_ text: Substring, by quote: Character, escapes: Bool) -> String? {
        var value = ""
        var rest = text
        while let character = rest.popFirst() {
            if character == quote {
                let after = trimmed(rest)
                return after.isEmpty || after.hasPrefix("#") ? value : nil
            }
            guard escapes, character == "\\", let escaped = rest.popFirst() else {
                value.append(character)
                continue
            }
            switch escaped {
            case "n": value.append("\n")
            case "t": value.append("\t")
            case "\"", "\\": value.append(escaped)
            default: value += ["\\", escaped]
            }
        }
        return nil
    }

    private static func withoutComment(_ text: Substring) -> Substring {
        var previous: Character = " "
        for index in text.indices {
            if text[index] == "#", previous.isWhitespace { return text[..<index] }
            previous = text[index]
        }
        return text
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return start[...last]
    }
}
