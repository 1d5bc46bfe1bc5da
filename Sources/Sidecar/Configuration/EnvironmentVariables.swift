/// The variables that `${NAME}` may name: those of the process, then those of the file given as `--env-file`.
///
/// `NAME_FILE` stands for the contents of the file that it names, less one line break at the end, as Docker
/// secrets are handed over. Within one layer a value comes before a file, and a file before an empty value.
struct EnvironmentVariables: Sendable {
    enum Lookup: Equatable {
        case value(String)
        case unset
        /// `NAME_FILE` is set, but what it names cannot be read as UTF-8.
        case unreadable
    }

    /// Asked in order; the first that knows the name decides.
    private let layers: [[String: String]]
    /// What the files held, by path: each is read once, so that whoever asks again sees the same.
    private var contents: [String: Lookup] = [:]

    init(process: [String: String], file: [String: String] = [:]) {
        layers = [process, file]
    }

    /// The paths that were read because of a `NAME_FILE`, also in vain: a watcher must see the file appear too.
    var filesRead: Set<String> { Set(contents.keys) }

    /// The variable's own value, without regard to `NAME_FILE`.
    func plainValue(of name: String) -> String? {
        layers.lazy.compactMap { $0[name] }.first
    }

    mutating func lookUp(_ name: String) -> Lookup {
        for layer in layers {
            let own = layer[name]
            if let own, !own.isEmpty { return .value(own) }
            if let path = layer[name + "_FILE"], !path.isEmpty { return contents(of: path) }
            if let own { return .value(own) }
        }
        return .unset
    }

    private mutating func contents(of path: String) -> Lookup {
        if let known = contents[path] { return known }
        let found = Self.read(path)
        contents[path] = found
        return found
    }

    private static func read(_ path: String) -> Lookup {
        guard var text = try? TextFile.contents(of: path) else { return .unreadable }
        // "\r\n" is one character, so this takes either line break.
        if text.last?.isNewline == true { text.removeLast() }
        return .value(text)
    }
}
