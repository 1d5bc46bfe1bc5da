/// A small XML document of which the texts of single elements are read.
///
/// Not a parser: elements are found by their tags. Where that could be mistaken (a comment, a CDATA section, a
/// document type) nothing is read.
struct XMLText {
    private let text: Substring

    /// - Returns: nil for another root element, for what is not XML, and for more than ``mostBytes``.
    init?(_ document: UnsafeRawBufferPointer, root: String) {
        guard document.count <= Self.mostBytes,
            let text = String(validating: document, as: UTF8.self)
        else { return nil }
        var rest = Self.trimmed(text[...])
        if rest.hasPrefix("<?xml"), let end = rest.firstRange(of: "?>") {
            rest = Self.trimmed(rest[end.upperBound...])
        }
        guard !rest.contains("<!"), rest.hasPrefix("<\(root)"),
            let next = rest.dropFirst(root.count + 1).first, next == ">" || next.isWhitespace
        else { return nil }
        self.text = rest
    }

    /// The text of the first element of a name.
    ///
    /// - Returns: nil without one, when it is empty, and when it has elements or references to characters in it.
    func content(of element: String) -> String? {
        guard let content = source(of: element), !content.isEmpty, !content.contains("&") else { return nil }
        return String(content)
    }

    /// The text of the first element of a name as it is written, with references to characters.
    ///
    /// - Returns: nil without one, and when it has elements in it.
    func source(of element: String) -> Substring? {
        guard let start = text.firstRange(of: "<\(element)>") else { return nil }
        let content = text[start.upperBound...].prefix { $0 != "<" }
        return text[content.endIndex...].hasPrefix("</\(element)>") ? content : nil
    }

    /// A text with what XML gives a meaning to written as references.
    static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            default: escaped.append(character)
            }
        }
    }

    /// Answers of stores have a few hundred bytes.
    private static let mostBytes = 16_384

    private static func trimmed(_ text: Substring) -> Substring {
        text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
    }
}
