/// Base64 by blocks of sixteen digits, which stand for twelve bytes (RFC 4648, section 4).
///
/// The operators are those of vectors of sixteen bytes with the types spelled out: each is one instruction. Lanes are
/// joined as little-endian numbers, as on every processor that Swift has a compiler for.
enum Base64Blocks {
    private typealias Bytes = SIMD16<Int8>
    private typealias Mask = SIMDMask<SIMD16<Int8>>

    static let digitCount = 16
    static let byteCount = 12
    /// Blocks are written as two words that overlap: two bytes more than they have.
    static let room = 14

    /// Decodes whole blocks until one holds a byte that is no digit, or less than ``room`` is left.
    ///
    /// - Returns: the number of blocks.
    static func decode(_ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
        guard let source = text.baseAddress, let target = output.baseAddress else { return 0 }
        guard output.count >= room else { return 0 }
        let most = min(text.count / digitCount, (output.count &- room) / byteCount &+ 1)
        var block = 0
        while block < most {
            let digits = source.loadUnaligned(fromByteOffset: block &* digitCount, as: Bytes.self)
            guard let words = packed(digits) else { return block }
            target.storeBytes(of: words[0], toByteOffset: block &* byteCount, as: UInt64.self)
            target.storeBytes(of: words[1], toByteOffset: block &* byteCount &+ 6, as: UInt64.self)
            block &+= 1
        }
        return block
    }

    /// Encodes whole blocks, as long as ``room`` bytes are left to read.
    ///
    /// - Precondition: there is room for the digits of all bytes.
    /// - Returns: the number of blocks.
    static func encode(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
        guard let source = bytes.baseAddress, let target = output.baseAddress else { return 0 }
        guard bytes.count >= room else { return 0 }
        let count = (bytes.count &- room) / byteCount &+ 1
        for block in 0..<count {
            let first = source.loadUnaligned(fromByteOffset: block &* byteCount, as: UInt64.self)
            let second = source.loadUnaligned(fromByteOffset: block &* byteCount &+ 6, as: UInt64.self)
            let words = SIMD2<UInt64>(first.byteSwapped &>> 16, second.byteSwapped &>> 16)
            target.storeBytes(of: digits(words), toByteOffset: block &* digitCount, as: Bytes.self)
        }
        return count
    }

    /// Twelve bytes in the first six of each word; nil when a byte is no digit.
    ///
    /// The digits lie in ranges, each at its own distance from the values that they stand for.
    @inline(__always)
    private static func packed(_ text: Bytes) -> SIMD2<UInt64>? {
        let fromZero: Mask = text .> Bytes(repeating: 0x2F)
        let fromA: Mask = text .> Bytes(repeating: 0x40)
        let fromLowerA: Mask = text .> Bytes(repeating: 0x60)
        let plus: Mask = text .== Bytes(repeating: 0x2B)
        let slash: Mask = text .== Bytes(repeating: 0x2F)
        let toNine: Mask = text .< Bytes(repeating: 0x3A)
        let toZ: Mask = text .< Bytes(repeating: 0x5B)
        let toLowerZ: Mask = text .< Bytes(repeating: 0x7B)
        let letters: Mask = (fromA .& toZ) .| (fromLowerA .& toLowerZ)
        let others: Mask = (fromZero .& toNine) .| (plus .| slash)
        let known: Mask = letters .| others
        let halves = unsafeBitCast(known, to: SIMD2<UInt64>.self)
        guard halves[0] & halves[1] == .max else { return nil }
        // `/` is 16 below its value, `+` 19, a digit 4; capitals are 65 above and small letters 71.
        let upToNine: Bytes = Bytes(repeating: 16) &+ only(3, plus) &+ only(-12, fromZero)
        let distance: Bytes = upToNine &+ only(-69, fromA) &+ only(-6, fromLowerA)
        return joined(text &+ distance)
    }

    /// Joins neighbours three times: 6, 12, 24 and 48 bits.
    @inline(__always)
    private static func joined(_ values: Bytes) -> SIMD2<UInt64> {
        let six = unsafeBitCast(values, to: SIMD8<UInt16>.self)
        let pairs: SIMD8<UInt16> =
            ((six & SIMD8(repeating: 0xFF)) &<< SIMD8(repeating: 6)) | (six &>> SIMD8(repeating: 8))
        let twelve = unsafeBitCast(pairs, to: SIMD4<UInt32>.self)
        let fours: SIMD4<UInt32> =
            ((twelve & SIMD4(repeating: 0xFFFF)) &<< SIMD4(repeating: 12)) | (twelve &>> SIMD4(repeating: 16))
        let words = unsafeBitCast(fours, to: SIMD2<UInt64>.self)
        return SIMD2(sixBytes(words[0]), sixBytes(words[1]))
    }

    /// Two numbers of 24 bits as six bytes in the order in which they are written.
    @inline(__always)
    private static func sixBytes(_ word: UInt64) -> UInt64 {
        (word &<< 40 | (word &>> 32) &<< 16).byteSwapped
    }

    /// The sixteen digits of two numbers of 48 bits.
    @inline(__always)
    private static func digits(_ words: SIMD2<UInt64>) -> Bytes {
        let fours: SIMD2<UInt64> =
            ((words & SIMD2(repeating: 0xFF_FFFF)) &<< SIMD2(repeating: 32))
            | (words &>> SIMD2(repeating: 24))
        let twentyFour = unsafeBitCast(fours, to: SIMD4<UInt32>.self)
        let pairs: SIMD4<UInt32> =
            ((twentyFour & SIMD4(repeating: 0xFFF)) &<< SIMD4(repeating: 16))
            | (twentyFour &>> SIMD4(repeating: 12))
        let twelve = unsafeBitCast(pairs, to: SIMD8<UInt16>.self)
        let singles: SIMD8<UInt16> =
            ((twelve & SIMD8(repeating: 0x3F)) &<< SIMD8(repeating: 8)) | (twelve &>> SIMD8(repeating: 6))
        let values = unsafeBitCast(singles, to: Bytes.self)
        let letters: Bytes = Bytes(repeating: 0x41) &+ only(6, values .> Bytes(repeating: 25))
        let numbers: Bytes = letters &+ only(-75, values .> Bytes(repeating: 51))
        let plus: Bytes = numbers &+ only(-15, values .> Bytes(repeating: 61))
        return values &+ (plus &+ only(3, values .> Bytes(repeating: 62)))
    }

    /// A number in the lanes of the mask, and zero in the others.
    @inline(__always)
    private static func only(_ number: Int8, _ mask: Mask) -> Bytes {
        unsafeBitCast(mask, to: Bytes.self) & Bytes(repeating: number)
    }
}
