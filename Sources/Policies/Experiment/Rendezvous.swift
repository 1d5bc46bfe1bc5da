extension Experiment {
    /// The arm of a conversation, user or request, by its place among the arms.
    ///
    /// Weighted rendezvous hashing: each arm draws a number for the unit, exponentially distributed with the
    /// arm's weight as its rate, and the smallest wins. So an arm is drawn with the share that its weight says;
    /// nothing has to be remembered; a unit moves only where an arm's weight grew or another's shrank beside
    /// it, and only to or from that arm; and the order of the arms does not matter.
    ///
    /// Source: Schindelhauer and Schomaker, "Weighted Distributed Hash Tables" (2005).
    public func arm(for unit: StableDigest) -> Int {
        var winner: (place: Int, draw: UInt64, weight: UInt64)?
        for (place, arm) in arms.enumerated() where arm.weight > 0 {
            let weight = UInt64(arm.weight)
            let draw = exponentialVariate(of: number(of: arm, for: unit))
            if let best = winner, !isLess(draw, over: weight, than: best.draw, over: best.weight) { continue }
            winner = (place, draw, weight)
        }
        guard let winner else { preconditionFailure("experiment \(name) has no arm with a weight") }
        return winner.place
    }

    /// A number by chance, the same for good: the arm's hash of the unit.
    private func number(of arm: Arm, for unit: StableDigest) -> UInt64 {
        var hasher = StableHasher()
        hasher.combine(name)
        hasher.combine(arm.name)
        hasher.combine(unit)
        return hasher.finalize().high
    }
}

/// The negative binary logarithm of a uniform number in (0, 1], in units of 2⁻³².
///
/// In integers, since `log2` of a C library may differ by a unit in the last place from one machine to the
/// next, and the arm with it. The base does not matter to a comparison. Never 0, never above 2³⁸; what is cut
/// off moves an arm's share by less than 10⁻⁸.
///
/// - Parameter uniform: the number, in units of 2⁻⁶⁴.
func exponentialVariate(of uniform: UInt64) -> UInt64 {
    // Zero has no logarithm; it comes once in 2⁶⁴ draws.
    let uniform = max(uniform, 1)
    let zeros = UInt64(uniform.leadingZeroBitCount)
    // In [1, 2), in units of 2⁻³¹: squaring doubles its logarithm, whose next bit is whether that reached 2.
    var mantissa = (uniform << zeros) >> 32
    var fraction: UInt64 = 0
    for _ in 0..<32 {
        let square = mantissa * mantissa
        let bit = square >> 63
        mantissa = square >> (31 + bit)
        fraction = fraction << 1 | bit
    }
    return (zeros + 1) << 32 - fraction
}

/// Compares two quotients without dividing.
private func isLess(_ a: UInt64, over b: UInt64, than c: UInt64, over d: UInt64) -> Bool {
    let (left, right) = (a.multipliedFullWidth(by: d), c.multipliedFullWidth(by: b))
    return (left.high, left.low) < (right.high, right.low)
}
