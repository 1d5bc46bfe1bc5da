/// What merging a block gave.
struct BlockResult: Equatable {
    /// How many tokens it added.
    let tokens: Int
    /// The last of them, by its offsets in the block.
    let last: Range<Int>
}

/// Stands for the bytes of a block, or of a piece, and the length of its first token.
///
/// Two values of a polynomial over the integers modulo 2⁶¹ - 1, whose coefficients are the bytes, at two secret points
/// that the process draws: two blocks of up to 4,096 bytes have the same pair with a probability of at most 2⁻¹⁰⁰,
/// whoever has made them.
struct BlockPrint: Equatable {
    private static let prime: UInt64 = 1 << 61 - 1
    private static let points: (UInt64, UInt64) = (.random(in: 1..<prime), .random(in: 1..<prime))

    fileprivate let first: UInt64
    fileprivate let second: UInt64

    /// A whole piece, which no block is taken for: the first token of a block is less than it.
    init(ofPiece start: UnsafePointer<UInt8>, count: Int) {
        self.init(start, count: count, first: count)
    }

    /// - Parameters:
    ///   - count: at least 8.
    ///   - first: at most `count`.
    init(_ start: UnsafePointer<UInt8>, count: Int, first length: Int) {
        let points = Self.points
        let bytes = UnsafeRawPointer(start)
        var first = UInt64(truncatingIfNeeded: count) &<< 20 | UInt64(truncatingIfNeeded: length)
        var second = first
        // Seven bytes at a time are less than the prime; the last ones may come twice.
        for at in stride(from: 0, to: count &- 8, by: 7) {
            let word = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) & (UInt64.max &>> 8)
            first = Self.step(first, points.0, word)
            second = Self.step(second, points.1, word)
        }
        let word = bytes.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self) &>> 8
        let lowest = UInt64(start[count &- 8])
        self.first = Self.step(Self.step(first, points.0, word), points.0, lowest)
        self.second = Self.step(Self.step(second, points.1, word), points.1, lowest)
    }

    /// The value times the point plus the word, modulo the prime.
    @inline(__always)
    private static func step(_ value: UInt64, _ point: UInt64, _ word: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: point)
        let high = product.high &<< 3 | product.low &>> 61
        let sum = (product.low & prime) &+ high &+ word
        let folded = (sum & prime) &+ (sum &>> 61)
        return folded >= prime ? folded &- prime : folded
    }
}

/// The results of the blocks that came last, and of pieces that are not kept themselves, in a table of fixed size where
/// a new one takes the place of an old one.
///
/// A long piece that comes again, as the messages of a chat do, need not be merged again.
struct BlockSlots {
    private struct Slot {
        var print: BlockPrint
        /// Tokens, start and end of the last one, sixteen bits each; 0 is an empty slot.
        var result: UInt64
    }

    private static var count: Int { 1 << 13 }

    /// How much memory the table takes.
    static var bytes: Int { count * MemoryLayout<Slot>.stride }

    private let slots: UnsafeMutablePointer<Slot>

    /// - Parameter memory: as many ``bytes`` of zeros.
    init(_ memory: UnsafeMutableRawPointer) {
        slots = memory.assumingMemoryBound(to: Slot.self)
    }

    func result(of print: BlockPrint) -> BlockResult? {
        let slot = slot(of: print).pointee
        guard slot.result != 0, slot.print == print else { return nil }
        let start = Int(slot.result &>> 16 & 0xFFFF)
        return BlockResult(tokens: Int(slot.result &>> 32), last: start..<Int(slot.result & 0xFFFF))
    }

    /// - Parameter result: of a block of less than 65,536 bytes.
    func add(_ result: BlockResult, of print: BlockPrint) {
        let packed =
            UInt64(result.tokens) << 32 | UInt64(result.last.lowerBound) << 16
            | UInt64(result.last.upperBound)
        slot(of: print).pointee = Slot(print: print, result: packed)
    }

    private func slot(of print: BlockPrint) -> UnsafeMutablePointer<Slot> {
        slots + Int(truncatingIfNeeded: print.first & UInt64(Self.count - 1))
    }
}
