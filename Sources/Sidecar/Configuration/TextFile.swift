import Glibc

/// Reads the small files that a configuration consists of.
///
/// With the calls of the C library, since Foundation refuses what is not a regular file: a pipe (`<(…)`,
/// `/dev/stdin`) must do as well.
enum TextFile {
    enum Failure: Error, Equatable {
        case missing
        case unreadable
        case notUTF8
        case tooLarge

        var problem: String {
            switch self {
            case .missing: "no such file; write it, or name another"
            case .unreadable: "cannot be read; name a file, and permit reading it"
            case .notUTF8: "not UTF-8; save it as UTF-8"
            case .tooLarge: "more than \(TextFile.maximumBytes) bytes; name another file"
            }
        }
    }

    /// No configuration or secret is larger; a device that never ends is told from one.
    static let maximumBytes = 16_777_216

    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    static func contents(of path: String) throws(Failure) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw errno == ENOENT || errno == ENOTDIR ? .missing : .unreadable }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable }
            guard count > 0 else { break }
            bytes += buffer[..<count]
            guard bytes.count <= maximumBytes else { throw .tooLarge }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
        return text
    }
}
