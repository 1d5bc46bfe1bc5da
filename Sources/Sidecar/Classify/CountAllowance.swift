internal import NIOCore

/// Keeps counting that no decision needs, only the comparison with the provider, to a hundredth or so of an event
/// loop's time.
struct CountAllowance {
    private static let bytesPerSecond = 1 << 20
    /// More in one go would hold up the loop's other clients.
    private static let mostBytesAtOnce = 1 << 20

    private var left = mostBytesAtOnce
    private var filled = NIODeadline.now()

    /// - Returns: whether a text of so many bytes may be counted; they are then taken off.
    mutating func take(_ bytes: Int, at now: NIODeadline) -> Bool {
        let earned = (now - filled).nanoseconds / (1_000_000_000 / Int64(Self.bytesPerSecond))
        left = min(Self.mostBytesAtOnce, left + Int(clamping: earned))
        filled = now
        guard bytes <= Self.mostBytesAtOnce, left > 0 else { return false }
        left -= bytes
        return true
    }
}
