extension PolicySettings {
    /// The largest prompt that an attempt may carry: the smaller of `clip.maxContextTokens`, where it
    /// applies, and the model's window, less `clip.reserveOutputTokens`.
    ///
    /// - Parameters:
    ///   - isFallback: whether another attempt comes before it.
    ///   - factors: what raises the scale of models that are calibrated.
    /// - Returns: the budget, nil when neither applies, and the window alone, nil when it is unknown. Never below 0.
    func budget(
        for model: String,
        isFallback: Bool,
        factors: [Calibration.Subject: Double] = [:]
    ) -> (budget: Budget?, window: Budget?) {
        let rule = self.rule(for: model)
        let window = rule.flatMap { self.window(of: model, $0, factors) }
        let applies =
            switch clip.on {
            case .always: true
            case .fallback: isFallback
            case .never: false
            }
        guard applies else { return (window, window) }
        let tokens = max(0, clip.maxContextTokens - clip.reserveOutputTokens)
        let counting = rule?.counting ?? Counting()
        return (Budget(tokens: min(tokens, window?.tokens ?? tokens), counting: counting), window)
    }

    /// What the model's window leaves for the prompt, in unscaled tokens; nil when the window is unknown.
    private func window(of model: String, _ rule: ModelRule, _ factors: [Calibration.Subject: Double])
        -> Budget?
    {
        guard let contextTokens = rule.contextTokens else { return nil }
        let factor = rule.calibrates ? factors[rule.calibrationSubject(for: model)] ?? 1 : 1
        let scale = rule.tokenScale * factor
        let unscaled = scale > 0 ? Int(Double(contextTokens) / scale) : contextTokens
        return Budget(tokens: max(0, unscaled - clip.reserveOutputTokens), counting: rule.counting)
    }

    /// How a model's prompt is counted; the usual way when the configuration does not know the model.
    public func counting(of model: String) -> Counting {
        rule(for: model)?.counting ?? Counting()
    }
}

extension ModelRule {
    /// What the errors of counts for a model of this rule belong to.
    public func calibrationSubject(for model: String) -> Calibration.Subject {
        Calibration.Subject(model: model, counting: counting, tokenScale: tokenScale)
    }
}
