/// One key of the configuration file, with everything that is known about it.
///
/// The checks, the JSON Schema and the table in README are all made from these rows.
struct KeyRow: Sendable {
    enum Presence: Equatable, Sendable {
        case required
        case optional
        /// What stands where the file says nothing; it may contain references.
        case otherwise(JSONValue)
    }

    enum Availability: Equatable, Sendable {
        case available
        /// Only a value that asks for nothing (false, 0, nothing inside) is taken in this version.
        case mustBeEmpty
    }

    /// Dots between keys; `.*` for any name, `[]` for any place in a list.
    let path: String
    let type: ValueType
    let presence: Presence
    let availability: Availability
    /// Whether the value must never be shown or become part of a hash.
    let isSecret: Bool
    /// Sentences for the schema and for README.
    let doc: String
    /// What a problem shows as an example of how to write it.
    let example: JSONValue?

    init(
        _ path: String,
        _ type: ValueType,
        _ presence: Presence = .optional,
        _ availability: Availability = .available,
        isSecret: Bool = false,
        example: JSONValue? = nil,
        doc: String
    ) {
        self.path = path
        self.type = type
        self.presence = presence
        self.availability = availability
        self.isSecret = isSecret
        self.doc = doc
        self.example = example
    }

    /// The keys that lead to this one, itself the last; places in lists and maps are left out.
    var keys: [Substring] {
        path.split(separator: ".").filter { $0 != "*" }.map { $0.hasSuffix("[]") ? $0.dropLast(2) : $0 }
    }
}

/// A key in the tree that the rows make up.
struct KeyNode: Sendable {
    let name: String
    let row: KeyRow
    /// In the order of the table.
    let children: [KeyNode]

    /// The whole file.
    static let root: KeyNode = {
        let rows = Dictionary(grouping: keyRows.map { (keys: $0.keys, row: $0) }) { $0.keys.dropLast() }
        return KeyNode(KeyRow("", .object, doc: keyRootDoc), at: [], of: rows)
    }()

    func child(_ name: String) -> KeyNode? {
        children.first { $0.name == name }
    }

    /// - Parameter rows: by the keys that lead to their parents.
    private init(
        _ row: KeyRow,
        at keys: [Substring],
        of rows: [ArraySlice<Substring>: [(keys: [Substring], row: KeyRow)]]
    ) {
        name = keys.last.map(String.init) ?? ""
        self.row = row
        children = rows[keys[...], default: []].map { KeyNode($0.row, at: $0.keys, of: rows) }
    }
}
