internal import ArgumentParser

/// The program.
@main
struct SidecarCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sidecar",
        abstract: "Keeps chats going in front of LiteLLM and Dify.",
        subcommands: [
            Serve.self, Check.self, Count.self, Explain.self, Sign.self, TryHop.self, Health.self,
            Version.self,
            Generate.self,
        ]
    )
}

/// Exit statuses, after sysexits.h.
enum Exit {
    static let unknownName = ExitCode(64)
    static let unusableInput = ExitCode(65)
    static let missingInput = ExitCode(66)
    static let unavailable = ExitCode(69)
    static let badConfiguration = ExitCode(78)
    static let cannotServe = ExitCode(71)
}

/// What several commands read their configuration by.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "The configuration file; $SIDECAR_CONFIG, then config/antigravity.json.")
    var config: String?

    @Option(help: "A file of KEY=VALUE lines; the environment comes first.")
    var envFile: String?

    /// Loads it, or prints every problem and ends with status 78.
    func load() throws -> LoadedConfiguration {
        do {
            return try Configuration.load(
                path: config,
                environment: ProcessEnvironment.variables,
                envFile: envFile
            )
        } catch {
            StandardError.print(error.description)
            throw Exit.badConfiguration
        }
    }
}
