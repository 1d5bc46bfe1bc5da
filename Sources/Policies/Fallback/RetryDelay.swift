/// How long an answer asks to be left alone.
public enum RetryDelay {
    /// The lowercased names of all headers that ``stated(headers:message:now:)`` asks for.
    ///
    /// LiteLLM repeats a provider's headers behind `llm_provider-`.
    public static let headerNames: [String] = prefixes.flatMap { prefix in
        let resets: [String] = limits.flatMap { limit in ["\(limit)-remaining", "\(limit)-reset"] }
        return (["retry-after", "retry-after-ms"] + resets).map { prefix + $0 }
    }

    /// The longest delay that headers and message state, or nil when they state none.
    ///
    /// - `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), and `retry-after-ms` (OpenAI).
    /// - `anthropic-ratelimit-*-reset`, an RFC 3339 instant, where the matching `-remaining` is 0: the reset
    ///   of a limit that is not used up is no reason to wait.
    /// - Google's `RetryInfo`, which LiteLLM leaves as text inside the message: `"retryDelay": "21s"`, with
    ///   its quotes escaped or not. Only where it is missing the sentence counts ("Please retry in 21.5s",
    ///   "try again in 6m0s").
    ///
    /// What is negative, past or not understood is ignored.
    ///
    /// - Parameters:
    ///   - headers: the first value of a header, by its lowercased name.
    ///   - now: seconds since 1970-01-01 00:00 UTC.
    public static func stated(
        headers: (String) -> String?,
        message: String,
        now epochSeconds: Double
    ) -> Duration? {
        let seconds =
            prefixes.flatMap { stated(headers: headers, prefix: $0, now: epochSeconds) } + stated(in: message)
        guard let longest = seconds.filter({ $0 >= 0 }).max() else { return nil }
        let milliseconds = min(longest, longestBelieved) * 1000
        // Up, so that nobody comes back too early.
        return .milliseconds(Int64(milliseconds) + (milliseconds > Double(Int64(milliseconds)) ? 1 : 0))
    }

    private static let prefixes = ["", "llm_provider-"]
    private static let limits = ["requests", "tokens", "input-tokens", "output-tokens"]
        .map { "anthropic-ratelimit-" + $0 }
    /// A year; more is a mistake of the sender, and the breaker has its own maximum.
    private static let longestBelieved = 31_536_000.0

    private static func stated(headers: (String) -> String?, prefix: String, now: Double) -> [Double] {
        let after = headers(prefix + "retry-after").flatMap { value in
            plainNumber(value) ?? Timestamp.httpDate(value).map { $0 - now }
        }
        let afterMilliseconds = headers(prefix + "retry-after-ms").flatMap(plainNumber).map { $0 / 1000 }
        let resets = limits.map { limit -> Double? in
            guard headers(prefix + limit + "-remaining").flatMap(plainNumber) == 0 else { return nil }
            return headers(prefix + limit + "-reset").flatMap(Timestamp.rfc3339).map { $0 - now }
        }
        return ([after, afterMilliseconds] + resets).compactMap { $0 }
    }

    private static func stated(in message: String) -> [Double] {
        let text = FoldedText(message)
        let delays = durations(behind: "retrydelay", in: text)
        return delays.isEmpty ? ["retry in", "again in"].flatMap { durations(behind: $0, in: text) } : delays
    }

    private static func durations(behind words: String, in text: FoldedText) -> [Double] {
        text.ends(of: words).compactMap { end in
            // Between the name and its value stand a colon, spaces, and quotes that were escaped once or
            // twice.
            spelledDuration(text.suffix(from: end).drop { #"":'\ "#.utf8.contains($0) })
        }
    }

    /// `21s`, `21.5s`, `6m0s`, `859ms`, `5 seconds`; lowercase.
    private static func spelledDuration(_ text: ArraySlice<UInt8>) -> Double? {
        var rest = text
        var total: Double?
        while let number = leadingNumber(&rest) {
            rest = rest.drop { $0 == UInt8(ascii: " ") }
            let unit = rest.prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
            guard let factor = units[String(decoding: unit, as: UTF8.self)] else { break }
            total = (total ?? 0) + number * factor
            rest = rest.dropFirst(unit.count)
        }
        return total
    }

    private static let units: [String: Double] = [
        "ms": 0.001, "s": 1, "sec": 1, "second": 1, "seconds": 1, "m": 60, "minute": 60, "minutes": 60,
        "h": 3600, "hour": 3600, "hours": 3600,
    ]

    /// A number and nothing else, spaces aside.
    private static func plainNumber(_ text: String) -> Double? {
        var rest = Array(text.utf8)[...].drop { $0 == UInt8(ascii: " ") }
        guard let number = leadingNumber(&rest), rest.allSatisfy({ $0 == UInt8(ascii: " ") }) else {
            return nil
        }
        return number
    }

    /// Takes digits, with a fraction or without, off the front.
    ///
    /// More than 12 digits are not believed.
    private static func leadingNumber(_ text: inout ArraySlice<UInt8>) -> Double? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        var number = text.prefix { digits.contains($0) }
        guard (1...12).contains(number.count) else { return nil }
        let behind = text.dropFirst(number.count)
        if behind.first == UInt8(ascii: "."), behind.dropFirst().first.map(digits.contains) == true {
            number = text.prefix(number.count + 1 + behind.dropFirst().prefix { digits.contains($0) }.count)
        }
        text = text.dropFirst(number.count)
        return Double(String(decoding: number, as: UTF8.self))
    }
}
