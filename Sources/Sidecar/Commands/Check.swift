internal import ArgumentParser

/// Validates a configuration.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print every problem of a configuration, one a line; status 78 when there is one."
    )

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        do {
            let loaded = try Configuration.load(
                path: options.config,
                environment: ProcessEnvironment.variables,
                envFile: options.envFile
            )
            print("good: \(loaded.source.path ?? "embedded defaults"), hash \(loaded.configuration.hash)")
        } catch {
            print(error)
            throw Exit.badConfiguration
        }
    }
}
