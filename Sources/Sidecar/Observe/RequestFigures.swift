internal import NIOCore
internal import Wire

/// What the metrics tell of a request beyond its log line.
struct RequestFigures {
    /// Nanoseconds of the sidecar's own, by phase; 0 where there was none.
    var accept: Int64 = 0
    var plan: Int64 = 0
    var transform: Int64 = 0
    var relay = RelayTime()
    /// In US dollars, by the head of LiteLLM's answer.
    var statedCost: Double?
    /// Events of a streamed answer that had output.
    var outputEvents = 0
    /// Whether more than one attempt made the answer: the tokens of the last one alone are known.
    var isResumed = false
    /// The share of the previous turn's messages that this one begins with; nil where there is none to compare.
    var keptPrefix: Double?
}

extension RequestRecord {
    func accepted(in nanoseconds: Int64) {
        figures.accept += nanoseconds
    }

    func planned(in nanoseconds: Int64) {
        overhead += nanoseconds
        figures.plan += nanoseconds
    }

    func transformed(in nanoseconds: Int64) {
        overhead += nanoseconds
        figures.transform += nanoseconds
    }

    /// Seconds of a streamed answer for each token after the first.
    ///
    /// - Returns: nil for what was not streamed, had one token or did not end well.
    func outputTokenSeconds(ended: NIODeadline) -> Double? {
        guard let firstToken, error == nil, !figures.isResumed else { return nil }
        let reported = usage?.completionTokens ?? 0
        let tokens = reported > 0 ? reported : figures.outputEvents
        guard tokens > 1 else { return nil }
        return Double((ended - firstToken).nanoseconds) / 1e9 / Double(tokens - 1)
    }

    /// What was counted here of an answer that states no usage itself; nil where nothing was.
    ///
    /// A prompt is counted as far as the loop has time for it. Of a stream the deltas are counted, which have a token
    /// or a few each; the text of other answers is not.
    var countedUsage: Usage? {
        guard usage == nil, (200..<300).contains(status), countedTokens != nil || figures.outputEvents > 0
        else { return nil }
        return Usage(promptTokens: countedTokens ?? 0, completionTokens: figures.outputEvents)
    }
}
