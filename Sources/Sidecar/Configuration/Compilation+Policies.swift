import Policies

extension FallbackSettings {
    /// The failures that may be routed around, in the order of their declaration.
    ///
    /// Not those that are the caller's own, and not a refusal for content: another model must not be asked
    /// for what one has declined.
    static let routable = FailureClass.allCases.filter {
        ![.refused, .callerLimited, .callerFault].contains($0)
    }
}

extension Compilation {
    mutating func policies(_ upstreams: [String: Upstream]) -> PolicySettings {
        PolicySettings(
            models: file.sections("models").map(rule),
            routes: routes(upstreams),
            fallback: fallback(),
            clip: clip(),
            breaker: breaker()
        )
    }

    private func rule(_ section: Section) -> ModelRule {
        ModelRule(
            match: section.texts("match").map { Glob($0) },
            counting: Counting(
                encoding: section.filled("encoding", Section.text),
                images: section.filled("imageTokens", Section.text)
            ),
            tokenScale: section.filled("tokenScale", Section.number),
            calibrates: section.filled("calibrate", Section.flag),
            contextTokens: section.integer("contextTokens"),
            vision: section.flag("vision"),
            images: section.word("images"),
            prefill: section.filled("prefill", Section.flag),
            price: section.section("price").flatMap(price)
        )
    }

    private func price(_ section: Section) -> Price? {
        guard let input = section.number("inputPerMillion"), let output = section.number("outputPerMillion")
        else {
            return nil
        }
        return Price(
            inputPerMillion: input,
            outputPerMillion: output,
            cachedInputPerMillion: section.number("cachedInputPerMillion") ?? input
        )
    }

    private mutating func fallback() -> FallbackSettings {
        let section = section("fallback")
        let fallback = FallbackSettings(
            on: Set(section.texts("on").compactMap(FailureClass.init)),
            sticky: section.seconds("stickySeconds"),
            patience: section.seconds("patienceSeconds")
        )
        let total: Double = self.section("timeouts").filled("totalSeconds", Section.number)
        if fallback.patience >= .seconds(total) {
            report(
                section.place("patienceSeconds"),
                "not less than timeouts.totalSeconds (\(total.short)); write less, or raise that"
            )
        }
        return fallback
    }

    private mutating func clip() -> ClipSettings {
        let section = section("clip")
        let clip = ClipSettings(
            maxContextTokens: section.filled("maxContextTokens", Section.integer),
            on: section.word("on"),
            blockTokens: section.filled("blockTokens", Section.integer),
            reserveOutputTokens: section.filled("reserveOutputTokens", Section.integer),
            oversized: section.word("oversized"),
            pin: section.texts("pin")
        )
        if clip.reserveOutputTokens >= clip.maxContextTokens {
            report(
                section.place("reserveOutputTokens"),
                "leaves nothing of maxContextTokens (\(clip.maxContextTokens)); write less, or raise that"
            )
        }
        return clip
    }

    private mutating func breaker() -> CircuitBreaker.Settings {
        let section = section("breaker")
        let breaker = CircuitBreaker.Settings(
            rateLimitsToOpen: section.filled("rateLimitsToOpen", Section.integer),
            failuresToOpen: section.filled("failuresToOpen", Section.integer),
            cooldownSeconds: section.filled("cooldownSeconds", Section.integer),
            maxCooldownSeconds: section.filled("maxCooldownSeconds", Section.integer),
            maxRetryAfterSeconds: section.filled("maxRetryAfterSeconds", Section.integer)
        )
        if breaker.cooldownSeconds > breaker.maxCooldownSeconds {
            report(
                section.place("cooldownSeconds"),
                "more than maxCooldownSeconds (\(breaker.maxCooldownSeconds)); write less, or raise that"
            )
        }
        return breaker
    }
}
