extension PolicySettings {
    /// The largest prompt that an attempt may carry: the smaller of `clip.maxContextTokens`, where it
    /// applies, and the model's window, less `clip.reserveOutputTokens`.
    ///
    /// - Parameter isFallback: whether another attempt comes before it.
    /// - Returns: nil when neither applies. Never below 0.
    func budget(for model: String, isFallback: Bool) -> Budget? {
        let applies =
            switch clip.on {
            case .always: true
            case .fallback: isFallback
            case .never: false
            }
        let window = window(of: model)
        guard applies else { return window }
        let tokens = max(0, clip.maxContextTokens - clip.reserveOutputTokens)
        return Budget(tokens: min(tokens, window?.tokens ?? tokens), encoding: encoding(of: model))
    }

    /// What the model's window leaves for the prompt, in unscaled tokens; nil when the window is unknown.
    func window(of model: String) -> Budget? {
        guard let rule = rule(for: model), let contextTokens = rule.contextTokens else { return nil }
        let unscaled = rule.tokenScale > 0 ? Int(Double(contextTokens) / rule.tokenScale) : contextTokens
        return Budget(tokens: max(0, unscaled - clip.reserveOutputTokens), encoding: rule.encoding)
    }

    private func encoding(of model: String) -> String {
        rule(for: model)?.encoding ?? ModelRule(match: []).encoding
    }
}
