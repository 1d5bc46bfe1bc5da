import FoundationEssentials

/// Where a configuration comes from.
enum ConfigurationSource: Equatable, Sendable {
    /// Used where no other file is named, if it exists.
    static let defaultPath = "config/antigravity.json"

    /// A file that was named, by `--config` or `$SIDECAR_CONFIG`: it must be there.
    case named(String)
    case defaultPath(String)
    /// The file that is shipped with the program; its upstream comes from `$LITELLM_URL`.
    case embedded

    /// The path to watch, or nil.
    var path: String? {
        switch self {
        case .named(let path), .defaultPath(let path): path
        case .embedded: nil
        }
    }
}

/// A configuration, and what it was read from.
struct LoadedConfiguration: Equatable, Sendable {
    var configuration: Configuration
    var source: ConfigurationSource
    /// Files that were read because a `NAME_FILE` names them, sorted.
    var includedFiles: [String]
}

extension Configuration {
    /// Reads and checks a configuration.
    ///
    /// - Parameters:
    ///   - path: the file named on the command line; nil for `$SIDECAR_CONFIG`, then the default path, then the
    ///     embedded defaults.
    ///   - environment: the variables of the process; they come before those of `envFile`.
    ///   - envFile: a file of `KEY=VALUE` lines.
    /// - Throws: ``ConfigurationError`` with every problem.
    static func load(
        path: String?,
        environment: [String: String],
        envFile: String? = nil,
        defaultPath: String = ConfigurationSource.defaultPath
    ) throws(ConfigurationError) -> LoadedConfiguration {
        let variables = EnvironmentVariables(
            process: environment,
            file: try envFile.map { path throws(ConfigurationError) in
                try EnvironmentFile.variables(in: contents(of: path), path: path)
            } ?? [:]
        )
        let named = (path ?? variables.plainValue(of: "SIDECAR_CONFIG")).flatMap { $0.isEmpty ? nil : $0 }
        if let named {
            return try read(contents(of: named), from: .named(named), environment: variables)
        }
        if TextFile.exists(defaultPath) {
            return try read(
                contents(of: defaultPath),
                from: .defaultPath(defaultPath),
                environment: variables
            )
        }
        return try read(shippedConfiguration, from: .embedded, environment: variables)
    }

    /// Checks the text of a file and makes settings of it.
    static func read(
        _ text: String,
        from source: ConfigurationSource,
        environment: EnvironmentVariables
    ) throws(ConfigurationError) -> LoadedConfiguration {
        let compiled = CompiledDocument(file: try parse(text), environment: environment)
        if let error = ConfigurationError(compiled.problems) { throw error }
        return LoadedConfiguration(
            configuration: compiled.configuration,
            source: source,
            includedFiles: compiled.environment.filesRead.sorted()
        )
    }

    private static func parse(_ text: String) throws(ConfigurationError) -> JSONValue {
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        } catch {
            let problem =
                SyntaxFault.first(in: text).map {
                    "not valid JSON at line \($0.line), column \($0.column); expected \($0.wanted)"
                } ?? "not valid JSON; look for a number out of range or a broken \\u escape"
            throw ConfigurationError(.init(JSONPointer(), problem))
        }
    }

    private static func contents(of path: String) throws(ConfigurationError) -> String {
        do {
            return try TextFile.contents(of: path)
        } catch {
            throw ConfigurationError(.init(path, error.problem))
        }
    }
}
