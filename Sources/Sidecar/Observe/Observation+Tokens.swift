internal import Policies
internal import Telemetry
internal import Wire

extension LoopContext {
    /// Puts the tokens of a request and what they cost into the figures.
    func addTokens(of record: RequestRecord, _ labels: RecordLabels, _ model: KnownModel) {
        let price = model.rule?.price
        if let usage = record.usage {
            if let counted = record.countedTokens { compare(usage, with: counted, model, labels) }
            add(usage, TokenLabel.reported, labels)
            add(price.map { usage.dollars(at: $0) } ?? usage.cost ?? record.figures.statedCost, labels)
        } else if let usage = record.countedUsage {
            add(usage, TokenLabel.counted, labels)
            add(price.map { usage.dollars(at: $0) } ?? record.figures.statedCost, labels)
        }
    }

    private func add(_ usage: Usage, _ source: Label, _ labels: RecordLabels) {
        let cached = usage.cachedPart
        add(usage.promptTokens - cached, TokenLabel.input, source, labels)
        add(usage.completionTokens, TokenLabel.output, source, labels)
        add(cached, TokenLabel.cachedInput, source, labels)
    }

    private func add(_ count: Int, _ kind: Label, _ source: Label, _ labels: RecordLabels) {
        guard count > 0 else { return }
        metrics.add(
            .tokens,
            Labels(labels.model, labels.experiment, labels.arm, kind, source),
            Double(count)
        )
    }

    private func add(_ cost: Double?, _ labels: RecordLabels) {
        // What an upstream states may be anything; a counter never goes down.
        guard let cost, cost > 0, cost.isFinite else { return }
        metrics.add(.cost, Labels(labels.model, labels.experiment, labels.arm), cost)
    }

    private func compare(_ usage: Usage, with counted: Int, _ model: KnownModel, _ labels: RecordLabels) {
        guard let ratio = model.subject.ratio(reported: usage.promptTokens, counted: counted) else { return }
        metrics.observe(.countError, Labels(labels.model), ratio)
        let calibration = shared.memory.calibration
        if let place = model.calibrationPlace(in: calibration) { calibration.note(ratio, at: place) }
    }

    private enum TokenLabel {
        static let input = Label("input")
        static let output = Label("output")
        static let cachedInput = Label("cached_input")
        static let reported = Label("reported")
        static let counted = Label("counted")
    }
}

extension Usage {
    /// Tokens of the prompt that the provider had cached.
    fileprivate var cachedPart: Int { min(cachedTokens ?? 0, promptTokens) }

    /// In US dollars.
    fileprivate func dollars(at price: Price) -> Double {
        let input = Double(promptTokens - cachedPart) * price.inputPerMillion
        let cached = Double(cachedPart) * price.cachedInputPerMillion
        return (input + cached + Double(completionTokens) * price.outputPerMillion) / 1e6
    }
}
