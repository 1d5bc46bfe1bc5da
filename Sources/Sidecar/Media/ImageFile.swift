internal import Glibc
internal import NIOCore

/// An image in the embedded store, open for reading.
///
/// It stays whole while it is open, even if the store deletes it meanwhile.
final class ImageFile: Sendable {
    struct Unreadable: Error {}

    private let descriptor: CInt
    let byteCount: Int

    /// - Returns: nil when there is no such file.
    init?(path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        byteCount = Int(status.st_size)
    }

    deinit {
        close(descriptor)
    }

    /// Reads a part; waits for the disk.
    ///
    /// - Throws: ``Unreadable`` also where the file is shorter.
    func bytes(_ range: Range<Int>) throws(Unreadable) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(range.count)
        while buffer.readableBytes < range.count {
            let offset = range.lowerBound + buffer.readableBytes
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: range.upperBound - offset) {
                room in
                max(0, pread(descriptor, room.baseAddress, range.upperBound - offset, off_t(offset)))
            }
            guard got > 0 else { throw Unreadable() }
        }
        return buffer
    }
}
