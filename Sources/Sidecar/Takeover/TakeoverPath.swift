internal import Glibc

/// The Unix socket at which a process waits for the one that takes over from it.
///
/// Whoever can write to its folder could put another socket in its place, so the folder must be private.
struct TakeoverPath: Sendable {
    /// The system's limit, less the zero at the end (unix(7)).
    static let mostBytes = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
    /// More than one asks only by mistake.
    private static let backlog: CInt = 8

    let text: String

    /// Checks what can be checked before anything is done.
    init(_ text: String) throws(TakeoverError) {
        guard !text.isEmpty, !text.utf8.contains(0), text.utf8.count <= Self.mostBytes else {
            throw TakeoverError(
                "the path of the socket has \(text.utf8.count) bytes; write one of 1 to \(Self.mostBytes)"
            )
        }
        self.text = text
        try Self.checkFolder(of: text)
    }

    /// Calls a running process; nil when there is none.
    func connect() throws(TakeoverError) -> Descriptor? {
        let socket = try Self.socket()
        try Self.limit(socket)
        guard withAddress({ Glibc.connect(socket.number, $0, $1) }) != 0 else { return socket }
        switch errno {
        case ENOENT: return nil
        case ECONNREFUSED:
            // Left behind by a process that was killed.
            try checkSocket()
            return nil
        case EPROTOTYPE: throw TakeoverError("\(text) is the socket of another program; name another path")
        default: throw .system("cannot connect to", text)
        }
    }

    /// Begins to wait here, in place of a socket that nobody waits at any more.
    func listen() throws(TakeoverError) -> Descriptor {
        let socket = try Self.socket()
        // The file gets the mode of the socket: at no time may others open it.
        guard fchmod(socket.number, 0o600) == 0 else { throw .system("cannot protect", text) }
        try bind(socket)
        try Self.listen(socket, text)
        return socket
    }

    /// Waits at a socket that was handed over; peers see this process behind it from now on.
    func adopt(_ socket: Descriptor) throws(TakeoverError) {
        try Self.listen(socket, text)
    }

    func remove() {
        unlink(text)
    }

    /// How long one message may take; connecting too.
    static func limit(_ socket: Descriptor, seconds: Int = 10) throws(TakeoverError) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            guard setsockopt(socket.number, SOL_SOCKET, option, &time, size) == 0 else {
                throw .system("cannot limit", "the socket")
            }
        }
    }

    // MARK: - The file

    private func bind(_ socket: Descriptor) throws(TakeoverError) {
        if withAddress({ Glibc.bind(socket.number, $0, $1) }) == 0 { return }
        guard errno == EADDRINUSE else { throw .system("cannot bind", text) }
        guard try connect() == nil else {
            throw TakeoverError("another process has begun to wait at \(text) meanwhile; start again")
        }
        remove()
        guard withAddress({ Glibc.bind(socket.number, $0, $1) }) == 0 else {
            throw .system("cannot bind", text)
        }
    }

    private func checkSocket() throws(TakeoverError) {
        var status = stat()
        guard lstat(text, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw TakeoverError("\(text) is no socket; name another path")
        }
    }

    private static func checkFolder(of path: String) throws(TakeoverError) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var status = stat()
        guard stat(folder, &status) == 0 else { throw .system("cannot use the folder", folder) }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_mode & 0o022 == 0,
            status.st_uid == geteuid() || status.st_uid == 0
        else {
            throw TakeoverError("others may write to the folder \(folder); make it private: chmod 700")
        }
    }

    // MARK: - The system

    private static func socket() throws(TakeoverError) -> Descriptor {
        let kind = CInt(SOCK_SEQPACKET.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let number = Glibc.socket(AF_UNIX, kind, 0)
        guard number >= 0 else { throw .system("cannot open", "a socket") }
        return Descriptor(owning: number)
    }

    /// Two processes may wait at it for a moment: the one that comes too late must not hang.
    private static func listen(_ socket: Descriptor, _ path: String) throws(TakeoverError) {
        guard fcntl(socket.number, F_SETFL, O_NONBLOCK) == 0, Glibc.listen(socket.number, backlog) == 0 else {
            throw .system("cannot listen at", path)
        }
    }

    private func withAddress(_ call: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: text.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                call($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
