internal import NIOCore

/// Keeps work that no decision needs, only a figure, to a hundredth or so of an event loop's time.
struct Allowance {
    /// Of counting, in bytes of text; more in one go would hold up the loop's other clients.
    static let counting = Allowance(perSecond: 1 << 20)
    /// Of comparing a turn with the one before it, in turns.
    static let turns = Allowance(perSecond: 2000)

    private let perSecond: Int
    private var left: Int
    private var filled = NIODeadline.now()

    /// - Parameter perSecond: what is earned in a second, and the most that is saved up or taken in one go.
    private init(perSecond: Int) {
        self.perSecond = perSecond
        left = perSecond
    }

    /// - Returns: whether so much may be done; it is then taken off.
    mutating func take(_ amount: Int, at now: NIODeadline) -> Bool {
        let elapsed = Double((now - filled).nanoseconds) / 1e9
        let earned = Int(min(elapsed, 1) * Double(perSecond))
        // What is less than one goes on being earned.
        if earned > 0 {
            left = min(perSecond, left + earned)
            filled = now
        }
        guard amount <= perSecond, left > 0 else { return false }
        left -= amount
        return true
    }
}
