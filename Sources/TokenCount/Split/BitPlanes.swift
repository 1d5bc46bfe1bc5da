/// Sixty-four bytes turned on their side: plane *k* holds bit *k* of every byte, the first byte lowest.
///
/// A question about the bytes' values is then asked of all of them at once, by a few operations on whole words and
/// without a branch (Cameron, "A Case Study in SIMD Text Processing with Parallel Bit Streams", 2008).
struct BitPlanes {
    /// How many bytes there are.
    static var width: Int { 64 }

    let bit0, bit1, bit2, bit3, bit4, bit5, bit6, bit7: UInt64

    private typealias Pair = SIMD2<UInt64>

    /// - Parameter bytes: as many as ``width`` may be read.
    @inline(__always)
    init(_ bytes: UnsafePointer<UInt8>) {
        let words = UnsafeRawPointer(bytes)
        var a = words.loadUnaligned(as: Pair.self)
        var b = words.loadUnaligned(fromByteOffset: 16, as: Pair.self)
        var c = words.loadUnaligned(fromByteOffset: 32, as: Pair.self)
        var d = words.loadUnaligned(fromByteOffset: 48, as: Pair.self)
        // Three numbers of three bits say where a bit lies: its word, its byte therein, its place in that. Each round
        // moves one bit of the byte's number to the word's, then that to the place's.
        Self.turn(&a, &c, 32, 0x0000_0000_FFFF_FFFF, 4, 0x0F0F_0F0F_0F0F_0F0F)
        Self.turn(&b, &d, 32, 0x0000_0000_FFFF_FFFF, 4, 0x0F0F_0F0F_0F0F_0F0F)
        Self.turn(&a, &b, 16, 0x0000_FFFF_0000_FFFF, 2, 0x3333_3333_3333_3333)
        Self.turn(&c, &d, 16, 0x0000_FFFF_0000_FFFF, 2, 0x3333_3333_3333_3333)
        var even = Pair(a.x, b.x)
        var odd = Pair(a.y, b.y)
        Self.turn(&even, &odd, 8, 0x00FF_00FF_00FF_00FF, 1, 0x5555_5555_5555_5555)
        (bit0, bit1, bit2, bit3) = (even.x, odd.x, even.y, odd.y)
        even = Pair(c.x, d.x)
        odd = Pair(c.y, d.y)
        Self.turn(&even, &odd, 8, 0x00FF_00FF_00FF_00FF, 1, 0x5555_5555_5555_5555)
        (bit4, bit5, bit6, bit7) = (even.x, odd.x, even.y, odd.y)
    }

    @inline(__always)
    private static func turn(
        _ low: inout Pair,
        _ high: inout Pair,
        _ byteShift: UInt64,
        _ byteMask: UInt64,
        _ bitShift: UInt64,
        _ bitMask: UInt64
    ) {
        exchange(&low, &high, Pair(repeating: byteShift), Pair(repeating: byteMask))
        exchange(&low, &high, Pair(repeating: bitShift), Pair(repeating: bitMask))
    }

    /// Exchanges what the mask leaves out of one word with what it selects in the other.
    @inline(__always)
    private static func exchange(_ low: inout Pair, _ high: inout Pair, _ shift: Pair, _ mask: Pair) {
        let change = ((low &>> shift) ^ high) & mask
        high ^= change
        low ^= change &<< shift
    }
}
