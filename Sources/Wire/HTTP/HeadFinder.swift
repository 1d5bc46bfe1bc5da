internal import Glibc

/// Finds the end of a message head while its bytes arrive, without looking at a byte twice.
///
/// A line feed that no carriage return precedes is refused at once: RFC 9112, section 2.2 lets a recipient
/// accept it, and that is exactly what request smuggling lives on.
public struct HeadFinder: Sendable {
    public enum Progress: Equatable, Sendable {
        case incomplete
        /// The head ends before this offset, its empty line included.
        case complete(Int)
        case bareLineFeed
    }

    private var lineStart = 0
    private var searched = 0

    public init() {}

    /// Looks at what has arrived so far.
    ///
    /// - Parameter bytes: all bytes of the head received so far, from its first one.
    /// - Complexity: O(new bytes).
    public mutating func advance(over bytes: UnsafeRawBufferPointer) -> Progress {
        guard let base = bytes.baseAddress else { return .incomplete }
        while searched < bytes.count {
            guard let found = memchr(base + searched, 0x0A, bytes.count - searched) else {
                searched = bytes.count
                return .incomplete
            }
            let lineFeed = UnsafeRawPointer(found) - base
            guard lineFeed > 0, bytes[lineFeed - 1] == 0x0D else { return .bareLineFeed }
            if lineFeed - 1 == lineStart { return .complete(lineFeed + 1) }
            searched = lineFeed + 1
            lineStart = lineFeed + 1
        }
        return .incomplete
    }
}
