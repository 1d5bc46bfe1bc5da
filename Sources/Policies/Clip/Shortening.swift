/// Shortens texts of the newest turn, where what is always kept exceeds the budget.
public enum Shortening {
    /// A text part of the newest turn.
    public struct Part: Equatable, Sendable {
        public var tokens: Int
        public var isToolResult: Bool

        public init(tokens: Int, isToolResult: Bool) {
            self.tokens = tokens
            self.isToolResult = isToolResult
        }
    }

    /// What is to become of one part.
    public struct Step: Equatable, Sendable {
        /// Position of the part.
        public var part: Int
        /// The tokens that it may keep.
        public var tokens: Int

        public init(part: Int, tokens: Int) {
            self.part = part
            self.tokens = tokens
        }
    }

    /// The least that is left of a text, in tokens: less says nothing.
    public static let leastTokens = 256

    /// Chooses which parts shrink, and to how many tokens.
    ///
    /// Tool results go before the user's text, since the user can see what was typed but not what a tool
    /// said; in both the longest first, as far as needed.
    ///
    /// - Parameters:
    ///   - parts: the text parts of the newest turn, none of them the arguments of a tool call.
    ///   - shortfall: tokens that must go.
    /// - Returns: the parts that shrink, by ascending position; nil when that cannot be enough.
    /// - Complexity: O(*n* log *n*).
    public static func steps(for parts: [Part], shortfall: Int) -> [Step]? {
        let order = parts.indices.filter { parts[$0].tokens > leastTokens }.sorted { one, other in
            let (a, b) = (parts[one], parts[other])
            if a.isToolResult != b.isToolResult { return a.isToolResult }
            return a.tokens == b.tokens ? one < other : a.tokens > b.tokens
        }
        var missing = shortfall
        var steps: [Step] = []
        for part in order {
            guard missing > 0 else { break }
            let tokens = max(leastTokens, parts[part].tokens - missing)
            missing -= parts[part].tokens - tokens
            steps.append(Step(part: part, tokens: tokens))
        }
        return missing > 0 ? nil : steps.sorted { $0.part < $1.part }
    }
}
