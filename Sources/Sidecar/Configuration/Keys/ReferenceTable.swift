/// README's table of all keys, in Markdown.
enum ReferenceTable {
    static var text: String {
        (["| key | value | default | meaning |", "|---|---|---|---|"] + keyRows.map(line))
            .joined(separator: "\n") + "\n"
    }

    private static func line(_ row: KeyRow) -> String {
        let columns = ["`\(row.path)`", row.type.inWords, fallback(row), row.description]
        return "| " + columns.map { $0.replacing("|", with: #"\|"#) }.joined(separator: " | ") + " |"
    }

    private static func fallback(_ row: KeyRow) -> String {
        switch row.presence {
        case .required: "required"
        case .optional: "–"
        case .otherwise(let value): "`\(value.written(indented: false))`"
        }
    }
}

extension ValueType {
    /// Type, range and unit for people.
    fileprivate var inWords: String {
        switch self {
        case .object: "object"
        case .patch: "JSON Merge Patch"
        case .map(_, let element): "map of \(element.inWords)"
        case .list(let element, let atLeast):
            "list of \(element.inWords)" + (atLeast > 0 ? ", not empty" : "")
        case .text(let form): form.inWords
        case .choice(let known): known.map { "`\($0)`" }.joined(separator: ", ")
        case .integer(let range, let unit): "integer \(range.lowerBound)…\(range.upperBound)\(unit.inWords)"
        case .number(let range, let unit):
            "number \(range.lowerBound.short)…\(range.upperBound.short)\(unit.inWords)"
        case .flag: "`true`, `false`"
        }
    }
}

extension ValueType.Unit {
    fileprivate var inWords: String {
        self == .none ? "" : ", \(rawValue)"
    }
}

extension TextForm {
    fileprivate var inWords: String {
        switch self {
        case .any, .filled: "string"
        case .name: "name"
        case .fieldName: "header name"
        case .address: "`host:port`"
        case .url: "URL"
        case .token, .credential: "secret"
        }
    }
}
