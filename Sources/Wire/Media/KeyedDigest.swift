/// A fast hash of 128 bits under a secret key, to know a text again without keeping it.
///
/// It means something only beside digests of the same key, so it never leaves the process.
public struct KeyedDigest: Hashable, Sendable {
    /// The upper half.
    public let high: UInt64
    /// The lower half.
    public let low: UInt64
}

/// Hashes a text that comes in pieces to a ``KeyedDigest``: Poly1305 (RFC 8439, section 2.5).
///
/// For any two different texts of at most *n* bytes, chosen without knowing the key or any digest, at most 8⌈*n*/16⌉
/// in 2¹⁰⁶ keys give both one digest (Bernstein, "The Poly1305-AES message-authentication code", 2005, theorem 3.3):
/// for 50 MB less than one in 2⁸⁰. So nobody can send a text that is taken for another one. It is no signature: the
/// key signs many texts, and whoever saw digests could find it.
public struct KeyedHasher: Sendable {
    /// Drawn at random, once for all digests that are to be compared.
    public struct Key: Sendable {
        fileprivate let factor: (low: UInt64, high: UInt64)
        fileprivate let summand: (low: UInt64, high: UInt64)

        /// A new key.
        public init(using generator: inout some RandomNumberGenerator) {
            self.init((generator.next(), generator.next()), (generator.next(), generator.next()))
        }

        /// The two halves of the key, each as two little-endian words.
        init(_ factor: (UInt64, UInt64), _ summand: (UInt64, UInt64)) {
            // Section 2.5.1: the clamped bits leave room for carries.
            self.factor = (factor.0 & 0x0FFF_FFFC_0FFF_FFFF, factor.1 & 0x0FFF_FFFC_0FFF_FFFC)
            self.summand = summand
        }
    }

    private let key: Key
    private var sum = Accumulator()
    /// Bytes of a block that is not complete, the first in the lowest place.
    private var rest: (low: UInt64, high: UInt64) = (0, 0)
    private var restCount = 0

    /// At the start of a text.
    public init(key: Key) {
        self.key = key
    }

    /// The digest of a text that lies in one piece.
    ///
    /// - Complexity: O(*n*), about 0.4 ns a byte.
    public static func digest(of text: UnsafeRawBufferPointer, key: Key) -> KeyedDigest {
        var hasher = KeyedHasher(key: key)
        hasher.update(text)
        return hasher.finalize()
    }

    /// Adds the next bytes; how the text is cut makes no difference.
    public mutating func update(_ piece: UnsafeRawBufferPointer) {
        guard let base = piece.baseAddress else { return }
        var read = 0
        while restCount > 0, read < piece.count {
            append(piece[read])
            read &+= 1
        }
        var sum = sum
        while read &+ 16 <= piece.count {
            let low = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: read, as: UInt64.self))
            let high = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: read &+ 8, as: UInt64.self))
            sum.add((low, high, 1), times: key.factor)
            read &+= 16
        }
        self.sum = sum
        while read < piece.count {
            append(piece[read])
            read &+= 1
        }
    }

    /// The digest of all that was added; more may be added afterwards.
    public func finalize() -> KeyedDigest {
        var sum = sum
        if restCount > 0 {
            // A one behind the last byte, so that zeros at the end make a difference.
            var last = rest
            if restCount < 8 {
                last.low |= 1 << UInt64(8 * restCount)
            } else {
                last.high |= 1 << UInt64(8 * restCount - 64)
            }
            sum.add((last.low, last.high, 0), times: key.factor)
        }
        return sum.digest(plus: key.summand)
    }

    private mutating func append(_ byte: UInt8) {
        if restCount < 8 {
            rest.low |= UInt64(byte) << UInt64(8 * restCount)
        } else {
            rest.high |= UInt64(byte) << UInt64(8 * restCount - 64)
        }
        restCount += 1
        guard restCount == 16 else { return }
        sum.add((rest.low, rest.high, 1), times: key.factor)
        (rest, restCount) = ((0, 0), 0)
    }
}

/// A number modulo 2¹³⁰ - 5 in three words, of which the last has a few bits.
private struct Accumulator {
    private var low: UInt64 = 0
    private var middle: UInt64 = 0
    private var high: UInt64 = 0

    /// Adds a block and multiplies.
    ///
    /// The clamped factor is below 2¹²⁴ and its upper word divisible by four, so what passes 2¹³⁰ comes back five
    /// fold by ``quarter`` alone, and no partial sum overflows.
    @inline(__always)
    mutating func add(
        _ block: (low: UInt64, middle: UInt64, high: UInt64),
        times factor: (low: UInt64, high: UInt64)
    ) {
        let first = UInt128(low) &+ UInt128(block.low)
        let second = UInt128(middle) &+ UInt128(block.middle) &+ first &>> 64
        let h0 = UInt64(truncatingIfNeeded: first)
        let h1 = UInt64(truncatingIfNeeded: second)
        let h2 = high &+ UInt64(truncatingIfNeeded: second &>> 64) &+ block.high
        let folded = factor.high &+ factor.high &>> 2

        let d0 = product(h0, factor.low) &+ product(h1, folded)
        let d1 = product(h0, factor.high) &+ product(h1, factor.low) &+ UInt128(h2 &* folded) &+ d0 &>> 64
        let d2 = h2 &* factor.low &+ UInt64(truncatingIfNeeded: d1 &>> 64)

        // 2¹³⁰ is 5: four of it are the bits from bit 2 on as they stand, one those bits shifted down.
        let excess = (d2 & ~3) &+ d2 &>> 2
        let carried = UInt128(UInt64(truncatingIfNeeded: d0)) &+ UInt128(excess)
        let upper = UInt128(UInt64(truncatingIfNeeded: d1)) &+ carried &>> 64
        low = UInt64(truncatingIfNeeded: carried)
        middle = UInt64(truncatingIfNeeded: upper)
        high = (d2 & 3) &+ UInt64(truncatingIfNeeded: upper &>> 64)
    }

    /// The number itself, modulo 2¹³⁰ - 5, and then another one added modulo 2¹²⁸.
    func digest(plus summand: (low: UInt64, high: UInt64)) -> KeyedDigest {
        let number = UInt128(middle) << 64 | UInt128(low)
        // The modulus is reached exactly when five more reach 2¹³⁰.
        let (reduced, overflow) = number.addingReportingOverflow(5)
        let isReduced = high + (overflow ? 1 : 0) >= 4
        let sum = (isReduced ? reduced : number) &+ (UInt128(summand.high) << 64 | UInt128(summand.low))
        return KeyedDigest(
            high: UInt64(truncatingIfNeeded: sum >> 64),
            low: UInt64(truncatingIfNeeded: sum)
        )
    }

    @inline(__always)
    private func product(_ a: UInt64, _ b: UInt64) -> UInt128 {
        UInt128(a) &* UInt128(b)
    }
}
