/// Compares a file with the table of keys, and completes it.
///
/// What it leaves behind has the shape that the table states: references resolved, defaults filled in, every
/// value of its type and within its range. Values that are wrong are replaced by their default, so that checks
/// across keys can go on and report what else is wrong.
struct KeyCheck {
    private(set) var environment: EnvironmentVariables
    private(set) var problems: [ConfigurationError.Problem] = []
    /// Values that came from the environment: they may be secrets, and are never quoted.
    private(set) var referring: Set<JSONPointer> = []
    /// Values of keys that hold secrets.
    private(set) var secrets: Set<JSONPointer> = []

    init(environment: EnvironmentVariables) {
        self.environment = environment
    }

    mutating func check(_ document: JSONValue) -> Section {
        let root = KeyNode.root
        let pointer = JSONPointer()
        if case .object(let keys)? = check(document, of: root, at: pointer) {
            return Section(keys: keys, pointer: pointer)
        }
        return Section(keys: object([:], of: root, at: pointer), pointer: pointer)
    }

    /// Nil when the value cannot be used.
    private mutating func check(_ value: JSONValue, of node: KeyNode, at pointer: JSONPointer) -> JSONValue? {
        switch node.row.availability {
        case .mustBeEmpty where asks(value):
            problems.append(.init(pointer, "not available in this version; remove it"))
            return nil
        default:
            return check(value, as: node.row.type, of: node, at: pointer)
        }
    }

    private mutating func check(
        _ value: JSONValue,
        as type: ValueType,
        of node: KeyNode,
        at pointer: JSONPointer
    ) -> JSONValue? {
        if node.row.isSecret { secrets.insert(pointer) }
        guard let value = resolved(value, as: type, at: pointer) else { return nil }
        if let problem = type.problem(with: value, shown: shown(value, at: pointer)) {
            problems.append(.init(pointer, problem))
            return nil
        }
        switch (type, value) {
        case (.object, .object(let keys)):
            return .object(object(keys, of: node, at: pointer))
        case (.map(let names, let element), .object(let entries)):
            return .object(map(entries, names: names, element: element, of: node, at: pointer))
        case (.list(let element, let atLeast), .list(let list)):
            if list.count < atLeast {
                problems.append(.init(pointer, "empty; name at least one\(such(as: node.row.example))"))
            }
            // A place is kept for what is wrong, so that pointers to its neighbours stay right.
            return .list(
                list.enumerated().map { check($1, as: element, of: node, at: pointer.appending($0)) ?? .null }
            )
        default:
            return value
        }
    }

    private mutating func object(
        _ keys: [String: JSONValue],
        of node: KeyNode,
        at pointer: JSONPointer
    ) -> [String: JSONValue] {
        var complete: [String: JSONValue] = [:]
        for child in node.children {
            let place = pointer.appending(child.name)
            complete[child.name] = keys[child.name].flatMap { check($0, of: child, at: place) }
            guard complete[child.name] == nil else { continue }
            let told = problems.count
            switch child.row.presence {
            case .optional: break
            case .otherwise(let value): complete[child.name] = check(value, of: child, at: place)
            case .required:
                problems.append(.init(place, "missing; write it\(such(as: child.row.example))"))
            }
            if keys[child.name] != nil {
                // What is wrong with it has been told, and it is not missing.
                problems.removeSubrange(told...)
                complete[child.name] = complete[child.name] ?? .null
            }
        }
        reportUnknown(in: keys, of: node, at: pointer)
        return complete
    }

    private mutating func reportUnknown(
        in keys: [String: JSONValue],
        of node: KeyNode,
        at pointer: JSONPointer
    ) {
        let known = node.children.map(\.name)
        for key in keys.keys.filter({ node.child($0) == nil }).sorted() {
            problems.append(.init(pointer.appending(key), Self.unknown(key, among: known)))
        }
    }

    private mutating func map(
        _ entries: [String: JSONValue],
        names: TextForm,
        element: ValueType,
        of node: KeyNode,
        at pointer: JSONPointer
    ) -> [String: JSONValue] {
        var complete: [String: JSONValue] = [:]
        for (name, value) in entries.sorted(by: { $0.key < $1.key }) {
            let place = pointer.appending(name)
            if let problem = names.problem(with: name) {
                problems.append(.init(place, problem))
            }
            // An entry that is wrong still counts as one that exists, for whatever refers to it.
            complete[name] = check(value, as: element, of: node, at: place) ?? .null
        }
        return complete
    }

    /// The value with its references replaced; nil when one cannot be.
    ///
    /// What comes from the environment is text, so it is read as the number or switch that the key wants.
    private mutating func resolved(_ value: JSONValue, as type: ValueType, at pointer: JSONPointer)
        -> JSONValue?
    {
        guard case .text(let text) = value, Reference.isPresent(in: text) else { return value }
        referring.insert(pointer)
        do throws(Reference.Failure) {
            return type.reading(try Reference.resolve(text, in: &environment))
        } catch {
            problems.append(.init(pointer, error.problem))
            return nil
        }
    }

    /// Whether a value asks for something that only a later version can do.
    private mutating func asks(_ value: JSONValue) -> Bool {
        guard case .text(let text) = value else { return value != .null && !value.isEmpty }
        return (try? Reference.resolve(text, in: &environment)) != ""
    }

    /// What is said of a key that the table does not have.
    static func unknown(_ key: String, among known: [String]) -> String {
        if let nearest = NearestKey.to(key, among: known) {
            return "unknown key; did you mean \(nearest)?"
        }
        if let elsewhere = keyRows.first(where: { $0.keys.last.map(String.init) == key }) {
            return "unknown key here; did you mean \(elsewhere.path)?"
        }
        return "unknown key; remove it, or write one of \(known.joined(separator: ", "))"
    }

    private func such(as example: JSONValue?) -> String {
        example.map { ", such as \($0.written(indented: false))" } ?? ""
    }

    /// How a problem names a value.
    private func shown(_ value: JSONValue, at pointer: JSONPointer) -> String {
        guard !referring.contains(pointer), !secrets.contains(pointer) else { return "its value" }
        switch value {
        case .null: return "null"
        case .flag(let flag): return String(flag)
        case .number(let number): return number.short
        case .text(let text): return text.quoted
        case .list: return "a list"
        case .object: return "an object"
        }
    }
}

extension ValueType {
    /// A text from the environment as the value that is wanted, or as the text it is.
    fileprivate func reading(_ text: String) -> JSONValue {
        switch self {
        case .integer, .number:
            Double(text).flatMap { $0.isFinite ? .number($0) : nil } ?? .text(text)
        case .flag:
            Bool(text).map(JSONValue.flag) ?? .text(text)
        default:
            .text(text)
        }
    }
}

extension String {
    /// The text in quotes, cut short where it is long.
    var quoted: String {
        count <= 60 ? "\"\(self)\"" : "\"\(prefix(60))…\""
    }
}
