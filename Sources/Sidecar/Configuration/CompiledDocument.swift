/// A document that was checked against the table of keys and made into settings.
struct CompiledDocument {
    /// Worth something only while ``problems`` is empty.
    private(set) var configuration: Configuration
    private(set) var problems: [ConfigurationError.Problem]
    /// With all that was read for it.
    private(set) var environment: EnvironmentVariables
    private let experiments: [PatchedExperiment]

    /// Compiles a file and the arms of its experiments.
    ///
    /// What is wrong with the file is told once; of an arm only what its patch has a part in.
    init(file document: JSONValue, environment: EnvironmentVariables) {
        self.init(document, environment: environment)
        guard case .object(var keys) = document else { return }
        keys["experiments"] = nil
        let others = problems
        for experiment in experiments {
            let arms = experiment.patches.map { compile($0, over: .object(keys), besides: others) }
            checkMedia(of: arms, patches: experiment.patches)
            configuration.experiments.append(.init(experiment: experiment.experiment, arms: arms))
        }
        let hashes = configuration.experiments.flatMap(\.arms).map(\.hash)
        if !hashes.isEmpty { configuration.hash = Fingerprint.of([configuration.hash] + hashes) }
    }

    private init(_ document: JSONValue, environment: EnvironmentVariables) {
        var check = KeyCheck(environment: environment)
        let file = check.check(document)
        var compilation = Compilation(of: file, referring: check.referring)
        configuration = compilation.configuration()
        experiments = compilation.experiments()
        // Patches count by what they make of the file.
        let patches = experiments.flatMap(\.patches).map(\.place)
        configuration.hash = file.fingerprint(leavingOut: check.secrets.union(patches))
        problems = check.problems + compilation.problems
        self.environment = check.environment
    }

    /// The store is the same for every arm, so where the file has none an arm cannot have one.
    private mutating func checkMedia(of arms: [Configuration], patches: [ArmPatch]) {
        guard configuration.media == nil else { return }
        for (arm, patch) in zip(arms, patches) where arm.media != nil {
            let place = patch.place.appending("media")
            problems.append(.init(place, "there is no store to share; name media in the file itself"))
        }
    }

    private mutating func compile(
        _ patch: ArmPatch,
        over document: JSONValue,
        besides others: [ConfigurationError.Problem]
    ) -> Configuration {
        let arm = CompiledDocument(document.merging(patch: patch.changes), environment: environment)
        environment = arm.environment
        problems += patch.problems + arm.problems.compactMap { patch.own($0, besides: others) }
        return arm.configuration
    }
}
