/// Hashes of how a text begins, at growing lengths: enough to tell later how much another begins alike.
///
/// Nothing of the text is kept. A mark is the hash of all before it, every KiB at first and, so that there are at most
/// 64, every 2, 4, 8 or 16 KiB of longer texts; one more stands at the very end, so that a text which merely goes on
/// is known to be kept whole. What differs is found down to the distance of marks, at worst a thirty-second of the text.
///
/// Of long texts the first 8 KiB are hashed whole, and of every KiB behind them 32 bytes: what is left out or put in
/// moves everything behind it and shows with the next KiB, only a change of equal length far from the start may not. No
/// more than the first MiB is looked at.
struct PrefixMarks: Equatable, Sendable {
    private static let blockBytes = 1024
    private static let wholeBlocks = 8
    private static let sampleBytes = 32
    private static let maxMarks = 64
    private static let maxBytes = 1 << 20

    /// How much of the text was looked at.
    let byteCount: Int
    private let blocksBetween: Int
    private var marks: [UInt32] = []
    private var end: UInt32 = 0

    /// Hashes a text and compares it with an earlier one.
    ///
    /// - Parameters:
    ///   - secret: the same for all texts that are to be compared.
    ///   - earlier: with how much of it the text begins is found on the way.
    /// - Returns: the marks, and how many bytes of the earlier text are kept.
    /// - Complexity: O(*n*), a thousand instructions for a KiB at first and a hundred later.
    static func make(
        of text: UnsafeRawBufferPointer,
        secret: UInt64,
        comparedWith earlier: PrefixMarks?
    ) -> (marks: PrefixMarks, keptBytes: Int) {
        let text = UnsafeRawBufferPointer(rebasing: text.prefix(maxBytes))
        var made = PrefixMarks(byteCount: text.count)
        var comparison = PrefixComparison(earlier)
        var state = secret
        // Distances are powers of two: the places of the one are among those of the other.
        let often = min(made.blocksBetween, earlier?.blocksBetween ?? .max) - 1
        let lastOfEarlier = (earlier?.byteCount ?? -1) / blockBytes
        for block in 0...text.count / blockBytes {
            let start = block * blockBytes
            if block & often == 0 || block == lastOfEarlier {
                comparison.reached(block, state, text, start)
                made.reached(block, state)
            }
            guard start + blockBytes <= text.count else { break }
            state = hash(text, start, blockBytes, state)
        }
        let rest = text.count / blockBytes * blockBytes
        made.end = UInt32(truncatingIfNeeded: hash(text, rest, text.count - rest, state))
        return (made, comparison.keptBytes)
    }

    private init(byteCount: Int) {
        self.byteCount = byteCount
        var blocks = 1
        while byteCount / Self.blockBytes / blocks > Self.maxMarks { blocks *= 2 }
        blocksBetween = blocks
        marks.reserveCapacity(byteCount / Self.blockBytes / blocks)
    }

    private mutating func reached(_ block: Int, _ state: UInt64) {
        if block > 0, block.isMultiple(of: blocksBetween) { marks.append(UInt32(truncatingIfNeeded: state)) }
    }

    /// Adds the bytes of a block, or of a part of one, to a hash.
    fileprivate static func hash(
        _ text: UnsafeRawBufferPointer,
        _ start: Int,
        _ count: Int,
        _ state: UInt64
    ) -> UInt64 {
        let looked = start < wholeBlocks * blockBytes ? count : min(count, sampleBytes)
        return keyedHash(of: UnsafeRawBufferPointer(rebasing: text[start..<start + looked]), state)
    }

    /// Whether an earlier text had this hash where it had as many blocks; nil where it has no mark.
    fileprivate func agrees(at block: Int, _ state: UInt64) -> Bool? {
        guard block > 0, block.isMultiple(of: blocksBetween), block / blocksBetween <= marks.count else {
            return nil
        }
        return marks[block / blocksBetween - 1] == UInt32(truncatingIfNeeded: state)
    }

    /// Whether it ended within this block, and so.
    fileprivate func ends(in block: Int, _ state: UInt64, of text: UnsafeRawBufferPointer) -> Bool {
        let start = block * Self.blockBytes
        guard byteCount / Self.blockBytes == block, byteCount <= text.count else { return false }
        return end == UInt32(truncatingIfNeeded: Self.hash(text, start, byteCount - start, state))
    }
}

/// How far a text agrees with an earlier one.
private struct PrefixComparison {
    private let earlier: PrefixMarks?
    private(set) var keptBytes = 0
    private var isOver: Bool

    init(_ earlier: PrefixMarks?) {
        self.earlier = earlier
        isOver = earlier == nil
    }

    /// - Parameter state: the hash of everything before `start`.
    mutating func reached(_ block: Int, _ state: UInt64, _ text: UnsafeRawBufferPointer, _ start: Int) {
        guard !isOver, let earlier else { return }
        switch earlier.agrees(at: block, state) {
        case true?: keptBytes = start
        case false?: isOver = true
        case nil: break
        }
        if !isOver, earlier.ends(in: block, state, of: text) { keptBytes = earlier.byteCount }
    }
}
