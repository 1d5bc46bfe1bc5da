internal import Glibc
internal import NIOCore

/// A folder of the file system, with what a store needs to do there.
///
/// Every call waits for the disk: not for an event loop.
struct StoreFolder: Sendable {
    let path: String

    /// What lies in a folder.
    struct Item {
        var byteCount: Int
        /// Seconds since 1970.
        var modified: Int
    }

    /// The folder, made where it is missing, for this user alone.
    init(at path: String) throws(MediaStoreError) {
        self.path = path
        try Self.make(path)
    }

    private init(known path: String) {
        self.path = path
    }

    /// The folder of this name in it, which may be missing.
    func subfolder(_ name: String) -> StoreFolder {
        StoreFolder(known: "\(path)/\(name)")
    }

    /// Makes the folder in a parent that is there, and keeps it over a power failure.
    func makeIfMissing(in parent: StoreFolder) throws(MediaStoreError) {
        if mkdir(path, 0o700) == 0 { return try parent.keep() }
        guard errno == EEXIST else { throw .system("mkdir") }
    }

    func file(_ name: String) -> String {
        "\(path)/\(name)"
    }

    /// Size and age of a file; nil when it is not there.
    func item(_ name: String) throws(MediaStoreError) -> Item? {
        var status = stat()
        guard lstat(file(name), &status) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw .system("stat") }
            return nil
        }
        guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Item(byteCount: Int(status.st_size), modified: Int(status.st_mtim.tv_sec))
    }

    /// The names of what lies in it; none when it is missing.
    func names() throws(MediaStoreError) -> [String] {
        guard let folder = opendir(path) else {
            guard errno == ENOENT else { throw .system("opendir") }
            return []
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Writes a new file, by pieces, for this user alone, and waits until the disk has it.
    ///
    /// After a failure nothing of it is left.
    func write(
        _ name: String,
        _ nextPiece: () throws(MediaStoreError) -> ByteBuffer?
    ) throws(MediaStoreError) {
        let descriptor = open(file(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("open") }
        do throws(MediaStoreError) {
            while let piece = try nextPiece() { try Self.writeAll(piece, to: descriptor) }
            guard fsync(descriptor) == 0 else { throw .system("fsync") }
        } catch {
            close(descriptor)
            delete(name)
            throw error
        }
        guard close(descriptor) == 0 else {
            let error = MediaStoreError.system("close")
            delete(name)
            throw error
        }
    }

    /// Gives a file its name in another folder at once, in place of one that has it, and keeps it there.
    func move(_ name: String, to newName: String, in other: StoreFolder) throws(MediaStoreError) {
        guard rename(file(name), other.file(newName)) == 0 else { throw .system("rename") }
        try other.keep()
    }

    /// Gives a file a second name, unless another file has it already.
    func name(_ name: String, _ second: String) throws(MediaStoreError) {
        guard link(file(name), file(second)) == 0 || errno == EEXIST else { throw .system("link") }
        try keep()
    }

    /// Notes that a file was used now.
    func touch(_ name: String) {
        // Without the right to, the file is only deleted earlier than others.
        _ = utimensat(AT_FDCWD, file(name), nil, 0)
    }

    func delete(_ name: String) {
        // What is not there any more needs no deleting.
        _ = unlink(file(name))
    }

    /// Waits until the disk has the names of the folder.
    func keep() throws(MediaStoreError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("fsync") }
    }

    /// A file whole; nil when it is not there.
    func read(_ name: String, atMost mostBytes: Int) throws(MediaStoreError) -> ByteBuffer? {
        let descriptor = open(file(name), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw .system("open") }
            return nil
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("stat") }
        guard status.st_size <= mostBytes else { throw MediaStoreError(.damaged, "larger than any") }
        var content = ByteBuffer()
        content.reserveCapacity(Int(status.st_size) + 1)
        while content.readableBytes <= mostBytes {
            var count = 0
            content.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { room in
                count = Glibc.read(descriptor, room.baseAddress, room.count)
                return max(0, count)
            }
            guard count >= 0 || errno == EINTR else { throw .system("read") }
            if count == 0 { return content }
        }
        throw MediaStoreError(.damaged, "larger than any")
    }

    private static func writeAll(_ piece: ByteBuffer, to descriptor: CInt) throws(MediaStoreError) {
        var rest = piece
        while rest.readableBytes > 0 {
            var written = 0
            rest.readWithUnsafeReadableBytes { raw in
                written = Glibc.write(descriptor, raw.baseAddress, raw.count)
                return max(0, written)
            }
            guard written >= 0 || errno == EINTR else { throw .system("write") }
        }
    }

    private static func make(_ path: String) throws(MediaStoreError) {
        guard mkdir(path, 0o700) != 0 else { return }
        if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try make(String(path[..<slash]))
            guard mkdir(path, 0o700) != 0 else { return }
        }
        var status = stat()
        guard errno == EEXIST, stat(path, &status) == 0 else { throw .system("mkdir") }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw MediaStoreError(.refused, "not a folder") }
    }
}

extension MediaStoreError {
    /// What the system has just refused.
    static func system(_ call: String) -> Self {
        let code = errno
        let kind: Kind =
            switch code {
            case ENOSPC, EDQUOT, EFBIG: .noRoom
            case EACCES, EPERM, EROFS: .denied
            case ENOENT: .notFound
            default: .refused
            }
        return Self(kind, "\(call): \(String(cString: strerror(code)))")
    }
}
