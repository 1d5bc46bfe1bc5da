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
        var line = LogLine()
        line.add("time", Clock.timestamp())
        line.add("level", level.rawValue)
        line.add("msg", message)
        for (name, value) in fields { line.add(name, value) }
        writer.write(line.finished(), lineCount: 1)
    }
}
