import Glibc

/// Reads the small files that a configuration consists of.
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
        guard let bytes = try readable(path) else { throw .tooLarge }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
        return text
    }

    private static func readable(_ path: String) throws(Failure) -> [UInt8]? {
        do {
            if let file = try ByteSource.file(path) { return try file.bytes(atMost: maximumBytes) }
        } catch {
            throw .unreadable
        }
        throw .missing
    }
}
