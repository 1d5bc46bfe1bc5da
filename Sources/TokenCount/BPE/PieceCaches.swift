internal import Synchronization

/// The caches of one vocabulary, each for one thread at a time.
///
/// Holds no memory before the first count. A thread that comes while both are taken counts without one, so
/// none waits.
final class PieceCaches: Sendable {
    private let first = Mutex<PieceCache?>(nil)
    private let second = Mutex<PieceCache?>(nil)

    /// Lends a cache; none when all are taken.
    @inline(__always)
    func withSlots<Result: Sendable>(_ body: (PieceSlots?) -> Result) -> Result {
        Self.lend(first, body) ?? Self.lend(second, body) ?? body(nil)
    }

    @inline(__always)
    private static func lend<Result: Sendable>(
        _ cache: borrowing Mutex<PieceCache?>,
        _ body: (PieceSlots?) -> Result
    ) -> Result? {
        cache.withLockIfAvailable { cache in
            if cache == nil { cache = PieceCache() }
            return body(cache?.slots)
        }
    }
}
