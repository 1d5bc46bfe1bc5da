/// Replaces `${NAME}` and `${NAME:-default}` in a string of the configuration file.
///
/// A default holds for a variable that is unset or empty, as in a shell, and may contain references itself.
/// What a variable holds is not looked at again, so a secret may contain `${`.
enum Reference {
    /// Why a string could not be completed.
    enum Failure: Error, Equatable {
        case unset(String)
        case unreadable(String)
        case malformed

        /// Names the variable, never what it or its file holds.
        var problem: String {
            switch self {
            case .unset(let name):
                "${\(name)} is not set; set \(name) or \(name)_FILE, or write ${\(name):-default}"
            case .unreadable(let name):
                "the file that \(name)_FILE names cannot be read as text; correct the path or its permissions"
            case .malformed:
                "a reference is not complete; write ${NAME} or ${NAME:-default}"
            }
        }
    }

    /// Defaults within defaults; more than this is a mistake, and would only cost stack.
    private static let maximumDepth = 8

    /// Whether the string refers to anything.
    static func isPresent(in text: String) -> Bool {
        let bytes = text.utf8
        return zip(bytes, bytes.dropFirst()).contains { $0 == UInt8(ascii: "$") && $1 == UInt8(ascii: "{") }
    }

    /// Whether the text can be the name of a variable.
    static func isName(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, !isDigit(first) else { return false }
        return text.utf8.allSatisfy(isNameByte)
    }

    static func resolve(
        _ text: String,
        in environment: inout EnvironmentVariables
    ) throws(Failure) -> String {
        guard isPresent(in: text) else { return text }
        return String(decoding: try resolve(Array(text.utf8)[...], in: &environment, depth: 0), as: UTF8.self)
    }

    private static func resolve(
        _ text: ArraySlice<UInt8>,
        in environment: inout EnvironmentVariables,
        depth: Int
    ) throws(Failure) -> [UInt8] {
        guard depth < maximumDepth else { throw .malformed }
        var resolved: [UInt8] = []
        var rest = text
        while let dollar = opening(in: rest) {
            resolved += rest[..<dollar]
            let inside = rest[(dollar + 2)...]
            guard let end = closing(of: inside) else { throw .malformed }
            resolved += try value(of: inside[..<end], in: &environment, depth: depth)
            rest = inside[(end + 1)...]
        }
        return resolved + rest
    }

    /// What stands for the text between the braces.
    private static func value(
        of inside: ArraySlice<UInt8>,
        in environment: inout EnvironmentVariables,
        depth: Int
    ) throws(Failure) -> [UInt8] {
        let name = String(decoding: inside.prefix(while: isNameByte), as: UTF8.self)
        let rest = inside.dropFirst(name.utf8.count)
        guard isName(name), rest.isEmpty || rest.starts(with: ":-".utf8) else { throw .malformed }
        switch environment.lookUp(name) {
        case .value(let value) where !value.isEmpty || rest.isEmpty: return Array(value.utf8)
        case .unreadable: throw .unreadable(name)
        case .unset where rest.isEmpty: throw .unset(name)
        case .unset, .value: return try resolve(rest.dropFirst(2), in: &environment, depth: depth + 1)
        }
    }

    private static func opening(in text: ArraySlice<UInt8>) -> Int? {
        text.indices.dropLast().first { text[$0] == UInt8(ascii: "$") && text[$0 + 1] == UInt8(ascii: "{") }
    }

    /// The brace that closes what stands before `text`, past the references inside.
    private static func closing(of text: ArraySlice<UInt8>) -> Int? {
        var open = 1
        for index in text.indices {
            switch text[index] {
            case UInt8(ascii: "{") where index > text.startIndex && text[index - 1] == UInt8(ascii: "$"):
                open += 1
            case UInt8(ascii: "}"): open -= 1
            default: break
            }
            if open == 0 { return index }
        }
        return nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"):
            true
        default: isDigit(byte)
        }
    }
}
