internal import Glibc

/// An open file that is read from front to back.
///
/// With the calls of the C library, since Foundation refuses what is not a regular file: a pipe (`<(…)`,
/// `/dev/stdin`) must do as well.
struct ByteSource: ~Copyable {
    /// The system refuses to read it.
    struct Unreadable: Error {}

    private static let readBytes = 65_536
    private let descriptor: Int32
    private let isOwned: Bool

    private init(_ descriptor: Int32, isOwned: Bool) {
        self.descriptor = descriptor
        self.isOwned = isOwned
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    static func standardInput() -> ByteSource {
        ByteSource(STDIN_FILENO, isOwned: false)
    }

    /// - Returns: nil when there is no such file.
    static func file(_ path: String) throws(Unreadable) -> ByteSource? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor >= 0 { return ByteSource(descriptor, isOwned: true) }
        guard errno == ENOENT || errno == ENOTDIR else { throw Unreadable() }
        return nil
    }

    /// Adds what comes next.
    ///
    /// - Returns: false at the end.
    func append(to bytes: inout [UInt8]) throws(Unreadable) -> Bool {
        let old = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: Self.readBytes))
        var got = -1
        repeat {
            got = bytes.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress?.advanced(by: old), Self.readBytes)
            }
        } while got < 0 && errno == EINTR
        bytes.removeLast(Self.readBytes - max(0, got))
        guard got >= 0 else { throw Unreadable() }
        return got > 0
    }

    /// Reads to the end, or gives up beyond a limit.
    ///
    /// - Returns: nil when there is more than `maxBytes`.
    func bytes(atMost maxBytes: Int) throws(Unreadable) -> [UInt8]? {
        var bytes: [UInt8] = []
        while try append(to: &bytes) {
            guard bytes.count <= maxBytes else { return nil }
        }
        return bytes
    }
}
