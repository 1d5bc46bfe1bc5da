internal import Policies
internal import Telemetry

extension LogSettings.Level {
    /// Whether lines of a level are written when this one is configured.
    func admits(_ level: Self) -> Bool {
        rank <= level.rank
    }

    private var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }
}

/// Writes log lines about the process itself, as opposed to those about requests.
struct EventLog: Sendable {
    let writer: LogWriter

    /// Writes one line at once.
    ///
    /// - Parameter fields: further members; none of them may hold a secret.
    func write(_ level: LogSettings.Level, _ message: String, _ fields: [(StaticString, String)] = []) {
        var bytes: [UInt8] = []
        let textBytes = fields.reduce(message.utf8.count + 64) { $0 + $1.1.utf8.count }
        LogLine.append(to: &bytes, textBytes: textBytes) { line in
            line.add("time", Clock.utc())
            line.add("level", level.rawValue)
            line.add("msg", message)
            for (name, value) in fields { line.add(name, value) }
        }
        writer.write(bytes, lineCount: 1)
    }
}

extension EventLog {
    /// Says that a target is left alone, or asked again.
    ///
    /// - Parameter reason: the class of the failure, or who ordered it.
    func breakerChanged(_ change: CircuitBreaker.Transition, _ target: Target, because reason: String) {
        let now = ContinuousClock.now
        let (message, until): (String, ContinuousClock.Instant?) =
            switch change {
            case .opened(let until): ("breaker opened", until)
            case .reopened(let until): ("breaker reopened", until)
            case .extended(let until): ("breaker extended", until)
            case .closed: ("breaker closed", nil)
            }
        // Rounded up: that is when the next request may try.
        let seconds = until.map { String(max(0, ($0 - now + .milliseconds(999)).components.seconds)) } ?? "0"
        write(.warning, message, [("target", target.name), ("seconds", seconds), ("reason", reason)])
    }
}
