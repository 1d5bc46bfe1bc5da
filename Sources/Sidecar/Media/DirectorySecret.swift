internal import NIOCore

/// The secret that the signatures of a directory store are made with.
///
/// It lies in the store's own folder, so that every process that serves the folder has the same one, and links
/// survive a restart.
enum DirectorySecret {
    static let fileName = "secret"
    private static let byteCount = 32

    /// Reads the secret, and makes it at the first time; several processes at once get the same one.
    static func load(from folder: StoreFolder) throws(MediaStoreError) -> [UInt8] {
        if let secret = try read(from: folder) { return secret }
        let draft = TemporaryName.next()
        var bytes: ByteBuffer? = ByteBuffer(bytes: (0..<byteCount).map { _ in UInt8.random(in: 0...255) })
        try folder.write(draft) { bytes.take() }
        defer { folder.delete(draft) }
        try folder.name(draft, fileName)
        guard let secret = try read(from: folder) else { throw MediaStoreError(.notFound, "secret") }
        return secret
    }

    private static func read(from folder: StoreFolder) throws(MediaStoreError) -> [UInt8]? {
        guard let secret = try folder.read(fileName, atMost: byteCount) else { return nil }
        guard secret.readableBytes == byteCount else {
            throw MediaStoreError(.damaged, "the secret has not \(byteCount) bytes; delete it")
        }
        return Array(secret.readableBytesView)
    }
}

/// Names of files that are being written; no two are the same.
enum TemporaryName {
    static func next() -> String {
        "." + String(UInt64.random(in: 0...UInt64.max), radix: 36)
            + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    }
}
