internal import NIOCore
internal import ObjectStore
internal import Synchronization
internal import Wire

/// Which image a Base64 text stands for, of texts that were decoded before.
///
/// A chat sends its images again with every turn. Texts are known by a keyed hash of 128 bits, never kept.
final class TextMemory: Sendable {
    struct Image: Equatable, Sendable {
        var name: ObjectName
        var byteCount: Int
    }

    private let key: KeyedHasher.Key
    private let images: Mutex<RecentEntries<KeyedDigest, Image>>

    init(most: Int) {
        var system = SystemRandomNumberGenerator()
        key = KeyedHasher.Key(using: &system)
        images = Mutex(RecentEntries(most: most))
    }

    /// - Complexity: O(*n*), about 0.5 ns a byte; not for an event loop.
    func digest(of text: MediaText) -> KeyedDigest {
        text.base64.withUnsafeReadableBytes { KeyedHasher.digest(of: $0, key: key) }
    }

    subscript(digest: KeyedDigest) -> Image? {
        images.withLock { $0.value(of: digest) }
    }

    func remember(_ image: Image, for digest: KeyedDigest) {
        images.withLock { $0.insert(image, for: digest) }
    }
}
