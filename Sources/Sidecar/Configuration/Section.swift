/// An object of a checked file, and where it stands.
///
/// The table of keys has filled in every default, so a key that has one is there.
struct Section {
    let keys: [String: JSONValue]
    let pointer: JSONPointer

    func place(_ key: String) -> JSONPointer {
        pointer.appending(key)
    }

    func section(_ key: String) -> Section? {
        Section(keys[key], at: place(key))
    }

    /// The objects of a list; those that were wrong are left out.
    func sections(_ key: String) -> [Section] {
        elements(key).compactMap { Section($1, at: $0) }
    }

    /// The entries of a map by name; nil for one that was wrong.
    func entries(_ key: String) -> [(name: String, section: Section?)] {
        guard case .object(let entries)? = keys[key] else { return [] }
        return entries.sorted { $0.key < $1.key }
            .map { ($0.key, Section($0.value, at: place(key).appending($0.key))) }
    }

    /// The lists of strings of a map, by name, each string with its place; those that were wrong are left out.
    func lists(_ key: String) -> [(name: String, texts: [(place: JSONPointer, text: String)])] {
        guard case .object(let lists)? = keys[key] else { return [] }
        let section = Section(keys: lists, pointer: place(key))
        return lists.keys.sorted().map { ($0, section.placedTexts($0)) }
    }

    /// The strings of a list, each with its place.
    func placedTexts(_ key: String) -> [(place: JSONPointer, text: String)] {
        elements(key).compactMap { place, value in value.text.map { (place, $0) } }
    }

    func texts(_ key: String) -> [String] {
        placedTexts(key).map(\.text)
    }

    /// The strings of a map.
    func textsByName(_ key: String) -> [String: String] {
        guard case .object(let entries)? = keys[key] else { return [:] }
        return entries.compactMapValues(\.text)
    }

    func text(_ key: String) -> String? {
        keys[key]?.text
    }

    func flag(_ key: String) -> Bool? {
        guard case .flag(let flag)? = keys[key] else { return nil }
        return flag
    }

    func number(_ key: String) -> Double? {
        guard case .number(let number)? = keys[key] else { return nil }
        return number
    }

    func integer(_ key: String) -> Int? {
        number(key).flatMap { Int(exactly: $0) }
    }

    private init?(_ value: JSONValue?, at pointer: JSONPointer) {
        guard case .object(let keys)? = value else { return nil }
        self.init(keys: keys, pointer: pointer)
    }

    init(keys: [String: JSONValue], pointer: JSONPointer) {
        self.keys = keys
        self.pointer = pointer
    }

    private func elements(_ key: String) -> [(JSONPointer, JSONValue)] {
        guard case .list(let list)? = keys[key] else { return [] }
        return list.enumerated().map { (place(key).appending($0), $1) }
    }
}

extension Section {
    /// The value of a key that has a default.
    ///
    /// - Precondition: the table of keys gives it one that holds no reference, since what the environment
    ///   says may be wrong.
    func filled<Value>(_ key: String, _ read: (Section) -> (String) -> Value?) -> Value {
        guard let value = read(self)(key) else {
            preconditionFailure("\(place(key)) has no default in the table of keys")
        }
        return value
    }

    func seconds(_ key: String) -> Duration {
        .seconds(filled(key, Section.number))
    }

    func word<Word: RawRepresentable>(_ key: String) -> Word where Word.RawValue == String {
        filled(key) { section in { section.text($0).flatMap(Word.init(rawValue:)) } }
    }
}

extension JSONValue {
    fileprivate var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }
}
