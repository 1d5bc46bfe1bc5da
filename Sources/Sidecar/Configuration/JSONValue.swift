import FoundationEssentials

/// A JSON document, as the configuration file and its schema are.
enum JSONValue: Equatable, Sendable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    /// False, 0 and whatever has nothing in it: a key that asks for nothing.
    var isEmpty: Bool {
        switch self {
        case .null: false
        case .flag(let flag): !flag
        case .number(let number): number == 0
        case .text(let text): text.isEmpty
        case .list(let list): list.isEmpty
        case .object(let object): object.isEmpty
        }
    }

    /// The document as text; keys are sorted, so that equal documents have equal text.
    ///
    /// - Parameter indented: one value a line for people, or everything on one line.
    func written(indented: Bool) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            indented
            ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else {
            preconditionFailure("only a number that is not finite cannot be encoded, and JSON has none")
        }
        return String(decoding: data, as: UTF8.self)
    }
}

extension JSONValue: Codable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // A type that does not match costs an error, so the usual ones are tried first.
        if container.decodeNil() {
            self = .null
        } else if let text = try container.decodeIfMatching(String.self) {
            self = .text(text)
        } else if let object = try container.decodeIfMatching([String: JSONValue].self) {
            self = .object(object)
        } else if let list = try container.decodeIfMatching([JSONValue].self) {
            self = .list(list)
        } else if let number = try container.decodeIfMatching(Double.self) {
            self = .number(number)
        } else {
            self = .flag(try container.decode(Bool.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .flag(let flag): try container.encode(flag)
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .list(let list): try container.encode(list)
        case .object(let object): try container.encode(object)
        }
    }
}

extension SingleValueDecodingContainer {
    /// The value, or nil when the document holds another type here.
    ///
    /// Any other error is passed on: a string with a broken escape is not "some other type".
    fileprivate func decodeIfMatching<Value: Decodable>(_ type: Value.Type) throws -> Value? {
        do {
            return try decode(type)
        } catch DecodingError.typeMismatch(_, let context) where context.codingPath.count == codingPath.count
        {
            return nil
        }
    }
}

extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(booleanLiteral value: Bool) {
        self = .flag(value)
    }

    init(stringLiteral value: String) {
        self = .text(value)
    }

    init(integerLiteral value: Int) {
        self = .number(Double(value))
    }

    init(floatLiteral value: Double) {
        self = .number(value)
    }

    init(arrayLiteral elements: JSONValue...) {
        self = .list(elements)
    }

    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}
