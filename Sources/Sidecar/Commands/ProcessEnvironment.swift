internal import FoundationEssentials
internal import Glibc

/// What the process was started with.
enum ProcessEnvironment {
    static var variables: [String: String] { ProcessInfo.processInfo.environment }
}

/// Where errors go.
enum StandardError {
    static func print(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}

/// Where commands read from.
enum StandardInput {
    /// Reads to the end, or gives up beyond a limit.
    ///
    /// - Returns: nil when there is more than `maxBytes`.
    static func read(maxBytes: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
            guard count > 0 else { return bytes }
            guard bytes.count + count <= maxBytes else { return nil }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}
