internal import NIOCore
internal import Telemetry

/// What happened to one connection of the forward proxy; becomes its log line.
struct ForwardRecord {
    enum Kind: String {
        case connect, socks5
    }

    let started = NIODeadline.now()
    var kind: Kind?
    /// As the client asked for it.
    var host: String?
    var port: Int?
    var hop: String?
    /// The rung that carried it, or was tried last.
    var rung: String?
    /// Rungs that did not, and why not.
    var faults: [(rung: String, fault: String)] = []
    var bytesIn = 0
    var bytesOut = 0
    /// From a closed set.
    var error: String?

    /// Appends the log line to a buffer.
    func appendLine(to buffer: inout [UInt8], ended: NIODeadline) {
        LogLine.append(to: &buffer, textBytes: textBytes) { line in
            line.add("time", Clock.utc())
            line.add("level", error == nil ? "info" : "warning" as StaticString)
            line.add("msg", "forward" as StaticString)
            line.add("listener", "egress" as StaticString)
            if let kind { line.add("kind", kind.rawValue) }
            if let host { line.add("host", host) }
            if let port { line.add("port", port) }
            if let hop { line.add("hop", hop) }
            if let rung { line.add("rung", rung) }
            if !faults.isEmpty {
                line.add("faults", count: faults.count) { (faults[$0].rung, "=", faults[$0].fault) }
            }
            line.add("duration_ms", milliseconds: (ended - started).nanoseconds)
            line.add("bytes_in", bytesIn)
            line.add("bytes_out", bytesOut)
            if let error { line.add("error", error) }
        }
    }

    private var textBytes: Int {
        let tried = faults.reduce(0) { $0 + $1.rung.utf8.count + $1.fault.utf8.count + 4 }
        return tried + (host?.utf8.count ?? 0) + (hop?.utf8.count ?? 0) + (rung?.utf8.count ?? 0) + 96
    }
}
