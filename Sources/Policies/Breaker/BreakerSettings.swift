extension CircuitBreaker {
    /// The `breaker` section of the configuration.
    public struct Settings: Equatable, Sendable {
        /// Answers in a row that say "limited" before it opens.
        public var rateLimitsToOpen: Int
        /// Failures in a row before it opens.
        public var failuresToOpen: Int
        /// How long it is open at first.
        public var cooldownSeconds: Int
        /// How long it is open at most where no delay was stated.
        public var maxCooldownSeconds: Int
        /// The longest stated delay that is believed.
        public var maxRetryAfterSeconds: Int

        public init(
            rateLimitsToOpen: Int = 1,
            failuresToOpen: Int = 5,
            cooldownSeconds: Int = 15,
            maxCooldownSeconds: Int = 30,
            maxRetryAfterSeconds: Int = 3600
        ) {
            self.rateLimitsToOpen = rateLimitsToOpen
            self.failuresToOpen = failuresToOpen
            self.cooldownSeconds = cooldownSeconds
            self.maxCooldownSeconds = maxCooldownSeconds
            self.maxRetryAfterSeconds = maxRetryAfterSeconds
        }

        /// 15, 30, 30, … seconds with the defaults.
        ///
        /// - Parameter round: how many probes have failed.
        func cooldown(round: Int) -> Duration {
            var seconds = cooldownSeconds
            for _ in 0..<min(round, 30) where seconds < maxCooldownSeconds { seconds *= 2 }
            return .seconds(min(seconds, maxCooldownSeconds))
        }

        func bounded(_ stated: Duration) -> Duration {
            min(stated, .seconds(maxRetryAfterSeconds))
        }
    }
}
