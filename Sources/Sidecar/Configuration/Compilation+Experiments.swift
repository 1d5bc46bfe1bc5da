import Policies

/// An experiment as the file states it, before its patches are applied.
struct PatchedExperiment {
    var experiment: Experiment
    /// One for each arm, in their order.
    var patches: [ArmPatch]
}

extension Compilation {
    mutating func experiments() -> [PatchedExperiment] {
        let sections = file.sections("experiments")
        checkNames(of: sections)
        return sections.map { experiment($0) }
    }

    private mutating func experiment(_ section: Section) -> PatchedExperiment {
        let arms = section.sections("arms")
        checkNames(of: arms)
        if !arms.isEmpty, arms.allSatisfy({ $0.integer("weight") == 0 }) {
            report(section.place("arms"), "every weight is 0, so no request can take part; raise one")
        }
        let when: Section = section.filled("when", Section.section)
        let experiment = Experiment(
            name: section.text("name") ?? "",
            by: section.word("by"),
            when: condition(when),
            arms: arms.map { .init(name: $0.text("name") ?? "", weight: $0.integer("weight") ?? 0) }
        )
        if experiment.by == .conversation, experiment.when.task == true {
            report(when.place("task"), "tasks belong to no conversation; draw the arm by user or request")
        }
        let patches = arms.map { ArmPatch($0.keys["patch"] ?? [:], at: $0.place("patch")) }
        return PatchedExperiment(experiment: experiment, patches: patches)
    }
}
