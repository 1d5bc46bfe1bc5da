/// A scalar and what normalization wants to know about it, in one number.
struct DecomposedScalar {
    /// Number of values that ``order`` may have.
    static var orders: Int { 64 }
    private static var changes: UInt32 { 1 << 21 }

    /// The scalar in 21 bits, whether it may change in one, its order above them.
    private let bits: UInt32

    @inline(__always)
    init(_ scalar: UInt32, order: UInt8, mayChange: Bool) {
        bits = scalar | UInt32(order) &<< 22 | (mayChange ? Self.changes : 0)
    }

    /// A scalar to which nothing before it is joined.
    @inline(__always)
    init(starter scalar: UInt32) {
        bits = scalar
    }

    @inline(__always)
    var scalar: UInt32 { bits & (Self.changes &- 1) }

    /// The place of the canonical combining class among all classes, in their order; 0 for a starter.
    @inline(__always)
    var order: UInt32 { bits &>> 22 }

    /// Whether the scalar changes in the form, moves, or may join the scalar before it.
    @inline(__always)
    var mayChange: Bool { bits & Self.changes != 0 }
}
