/// The JSON Schema of the configuration file, for editors (draft 2020-12).
///
/// `config/antigravity.schema.json` is this text. A schema cannot check across keys; `sidecar check` does.
enum SchemaDocument {
    static var text: String {
        var schema = schema(of: KeyNode.root)
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        schema["title"] = "Configuration of the sidecar"
        return JSONValue.object(schema).written(indented: true) + "\n"
    }

    private static func schema(of node: KeyNode) -> [String: JSONValue] {
        let row = node.row
        var schema: [String: JSONValue] =
            switch row.availability {
            case .available: schema(of: row.type, node)
            case .mustBeEmpty: emptySchema(of: row.type)
            }
        schema["description"] = .text(row.description)
        if case .otherwise(let value) = row.presence, value != [:] { schema["default"] = value }
        if let example = row.example { schema["examples"] = [example] }
        return schema
    }

    private static func schema(of type: ValueType, _ node: KeyNode) -> [String: JSONValue] {
        switch type {
        case .object:
            return objectSchema(of: node)
        case .patch:
            return ["type": "object", "propertyNames": ["enum": .list(ArmPatch.keys.map(JSONValue.text))]]
        case .map(let names, let element):
            return [
                "type": "object",
                "propertyNames": .object(names.schema),
                "additionalProperties": .object(schema(of: element, node)),
            ]
        case .list(let element, let atLeast):
            var schema: [String: JSONValue] = ["type": "array", "items": .object(schema(of: element, node))]
            if atLeast > 0 { schema["minItems"] = .number(Double(atLeast)) }
            return schema
        case .text(let form):
            return form.schema.isEmpty
                ? ["type": "string"] : ["type": "string", "anyOf": [.object(form.schema), reference]]
        case .choice(let known):
            return ["type": "string", "anyOf": [["enum": .list(known.map(JSONValue.text))], reference]]
        case .integer(let range, _):
            return orReference(["type": "integer"], Double(range.lowerBound)...Double(range.upperBound))
        case .number(let range, _):
            return orReference(["type": "number"], range)
        case .flag:
            return ["anyOf": [["type": "boolean"], textWithReference]]
        }
    }

    private static func objectSchema(of node: KeyNode) -> [String: JSONValue] {
        var schema: [String: JSONValue] = [
            "type": "object",
            "additionalProperties": false,
            "properties": .object(
                Dictionary(
                    uniqueKeysWithValues: node.children.map { ($0.name, .object(Self.schema(of: $0))) }
                )
            ),
        ]
        let required = node.children.filter { $0.row.presence == .required }
        if !required.isEmpty { schema["required"] = .list(required.map { .text($0.name) }) }
        return schema
    }

    /// Takes only what asks for nothing.
    private static func emptySchema(of type: ValueType) -> [String: JSONValue] {
        switch type {
        case .object, .patch, .map: ["type": "object", "maxProperties": 0]
        case .list: ["type": "array", "maxItems": 0]
        case .text, .choice: ["const": ""]
        case .integer, .number: ["const": 0]
        case .flag: ["const": false]
        }
    }

    private static func orReference(
        _ schema: [String: JSONValue],
        _ range: ClosedRange<Double>
    ) -> [String: JSONValue] {
        let bounds: [String: JSONValue] = [
            "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound),
        ]
        return ["anyOf": [.object(schema.merging(bounds) { $1 }), textWithReference]]
    }

    private static let reference: JSONValue = ["pattern": #"\$\{"#]
    private static let textWithReference: JSONValue = ["type": "string", "pattern": #"\$\{"#]
}

extension KeyRow {
    /// The sentences of the row, with what this version does not do.
    var description: String {
        switch availability {
        case .available: doc
        case .mustBeEmpty: doc + " Not available in this version."
        }
    }
}

extension TextForm {
    /// What a schema can say of the form.
    fileprivate var schema: [String: JSONValue] {
        switch self {
        case .any: [:]
        case .filled: ["minLength": 1]
        case .name: ["pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"]
        case .fieldName: ["pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"]
        case .address: ["pattern": #"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$"#]
        case .url: ["pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+(/[^?#]*)?$"]
        case .token: ["pattern": "^[!-~]*$"]
        case .credential: ["pattern": "^[!-~]+$"]
        }
    }
}
