internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import ObjectStore
internal import Synchronization

/// Images in a folder of this machine, which the gateway serves.
///
///     <path>/secret                        signs the URLs
///     <path>/incoming/                     what is being written
///     <path>/requests/ab/ab….png           came in requests, may be deleted when there is no room
///     <path>/answers/ab/ab….png            came in answers, stays
///
/// A file gets its name when the disk has all of it. Names are made from digests alone: no path comes from outside.
final class DirectoryStore: MediaStore {
    /// A stored image as a file.
    struct File: Sendable {
        var path: String
        var byteCount: Int
    }

    let trust = Duration.zero
    private let folder: StoreFolder
    private let incoming: StoreFolder
    private let location: Mutex<DirectoryLocation>
    private let secret: [UInt8]
    private let pool: NIOThreadPool
    /// Nil without a limit: the file system knows what is there.
    private let account: DirectoryAccount?

    /// Opens a store, and makes it where it is missing.
    ///
    /// - Parameters:
    ///   - base: where the gateway is reached, as ``DirectoryLocation`` takes it.
    ///   - mostBytes: of all images together; nil for no limit.
    ///   - pool: waits for the disk.
    init(
        at path: String,
        base: String,
        mostBytes: Int? = nil,
        pool: NIOThreadPool = .singleton
    ) throws(MediaStoreError) {
        let folder = try StoreFolder(at: path)
        self.folder = folder
        incoming = folder.subfolder("incoming")
        try incoming.makeIfMissing(in: folder)
        for origin in MediaOrigin.allCases {
            try folder.subfolder(origin.folderName).makeIfMissing(in: folder)
        }
        secret = try DirectorySecret.load(from: folder)
        location = Mutex(try Self.location(base, secret))
        self.pool = pool
        account = mostBytes.map { [folder] in DirectoryAccount(of: folder, mostBytes: $0, pool: pool) }
        let incoming = incoming
        pool.submit { state in
            if state == .active { Self.cleanUp(incoming) }
        }
    }

    /// Takes another base for URLs: the port of a gateway may only be known once it listens.
    func rebase(to base: String) throws(MediaStoreError) {
        let location = try Self.location(base, secret)
        self.location.withLock { $0 = location }
    }

    // MARK: - Links

    func url(for name: ObjectName, at time: SigningTime, lifetime: Duration) -> String {
        location.withLock { $0 }.signedURL(for: name, at: time, lifetime: lifetime)
    }

    func objectName(ofOwnURL url: String) -> ObjectName? {
        location.withLock { $0 }.objectName(ofOwnURL: url)
    }

    /// Decides about a request for a signed URL.
    ///
    /// - Parameter target: path and query, without the path of the base.
    func access(to target: String, at time: SigningTime) -> DirectoryLocation.Access {
        location.withLock { $0 }.access(to: target, at: time)
    }

    // MARK: - Images

    func put(_ content: MediaContent, cameIn origin: MediaOrigin) async throws(MediaStoreError) {
        if try await contains(content.name, cameIn: origin) { return }
        guard let account else { return try await write(content, origin) }
        for name in try account.reserve(content.byteCount) { try await delete(name) }
        do throws(MediaStoreError) {
            try await write(content, origin)
        } catch {
            account.settle(content.byteCount, stored: nil)
            throw error
        }
        account.settle(content.byteCount, stored: (content.name, origin))
    }

    func contains(_ name: ObjectName, cameIn origin: MediaOrigin) async throws(MediaStoreError) -> Bool {
        await account?.wait()
        let isThere = try await onDisk { () throws(MediaStoreError) in
            guard let (place, item) = try self.find(name) else { return false }
            let file = name.fileName
            if place == .request, origin == .answer {
                let target = try self.home(of: name, .answer, isToBeMade: true)
                try self.home(of: name, .request).move(file, to: file, in: target)
            } else if item.modified + Self.touchSeconds < Int(Clock.epochSeconds()) {
                self.home(of: name, place).touch(file)
            }
            return true
        }
        if isThere { account?.used(name, cameIn: origin) } else { account?.isGone(name) }
        return isThere
    }

    func read(_ name: ObjectName) async throws(MediaStoreError) -> ByteBuffer {
        let content = try await onDisk { () throws(MediaStoreError) in
            for origin in MediaOrigin.searchOrder {
                let home = self.home(of: name, origin)
                let content = try home.read(name.fileName, atMost: MediaContent.mostBytes)
                if let content { return content }
            }
            throw MediaStoreError(.notFound)
        }
        account?.used(name, cameIn: .request)
        return content
    }

    /// Where an image lies, to be served; nil when it is not there.
    func file(_ name: ObjectName) async throws(MediaStoreError) -> File? {
        let file = try await onDisk { () throws(MediaStoreError) -> File? in
            guard let (place, item) = try self.find(name) else { return nil }
            return File(path: self.home(of: name, place).file(name.fileName), byteCount: item.byteCount)
        }
        if file != nil { account?.used(name, cameIn: .request) }
        return file
    }

    // MARK: - The disk

    private func write(_ content: MediaContent, _ origin: MediaOrigin) async throws(MediaStoreError) {
        try await onDisk { () throws(MediaStoreError) in
            let draft = TemporaryName.next()
            var pieces = content.pieces
            try self.incoming.write(draft) { () throws(MediaStoreError) in
                do { return try pieces.next() } catch { throw MediaStoreError(.damaged, "not Base64") }
            }
            do throws(MediaStoreError) {
                let home = try self.home(of: content.name, origin, isToBeMade: true)
                try self.incoming.move(draft, to: content.name.fileName, in: home)
            } catch {
                self.incoming.delete(draft)
                throw error
            }
        }
    }

    private func delete(_ name: ObjectName) async throws(MediaStoreError) {
        try await onDisk { () throws(MediaStoreError) in
            self.home(of: name, .request).delete(name.fileName)
        }
    }

    private func find(
        _ name: ObjectName
    ) throws(MediaStoreError) -> (place: MediaOrigin, item: StoreFolder.Item)? {
        for origin in MediaOrigin.searchOrder {
            if let item = try home(of: name, origin).item(name.fileName) { return (origin, item) }
        }
        return nil
    }

    private func home(of name: ObjectName, _ origin: MediaOrigin) -> StoreFolder {
        folder.subfolder(origin.folderName).subfolder(String(name.key.prefix(2)))
    }

    private func home(
        of name: ObjectName,
        _ origin: MediaOrigin,
        isToBeMade: Bool
    ) throws(MediaStoreError) -> StoreFolder {
        let home = home(of: name, origin)
        if isToBeMade { try home.makeIfMissing(in: folder.subfolder(origin.folderName)) }
        return home
    }

    private func onDisk<Value: Sendable>(
        _ work: @escaping @Sendable () throws(MediaStoreError) -> Value
    ) async throws(MediaStoreError) -> Value {
        let result = try? await pool.runIfActive { () -> Result<Value, MediaStoreError> in
            do throws(MediaStoreError) { return .success(try work()) } catch { return .failure(error) }
        }
        guard let result else { throw MediaStoreError(.refused, "the process is ending") }
        return try result.get()
    }

    static func location(
        _ base: String,
        _ secret: [UInt8]
    ) throws(MediaStoreError) -> DirectoryLocation {
        guard let location = DirectoryLocation(base: base, secret: secret) else {
            throw MediaStoreError(.refused, "the base is no address")
        }
        return location
    }

    /// Deletes what processes left behind that were killed; what others write now is younger.
    private static func cleanUp(_ incoming: StoreFolder) {
        guard let names = try? incoming.names() else { return }
        for name in names {
            guard let item = try? incoming.item(name),
                item.modified + leftoverSeconds < Int(Clock.epochSeconds())
            else { continue }
            incoming.delete(name)
        }
    }

    /// A use is written down at most this often.
    private static let touchSeconds = 3_600
    private static let leftoverSeconds = 3_600
}

extension MediaOrigin {
    var folderName: String {
        switch self {
        case .request: "requests"
        case .answer: "answers"
        }
    }

    /// What is being moved is found in one of the two, in this order.
    fileprivate static let searchOrder: [MediaOrigin] = [.request, .answer]
}
