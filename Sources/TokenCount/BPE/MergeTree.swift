/// Merges the bytes or scalars of one piece as byte pair encoding prescribes: always the adjacent pair of the
/// lowest rank, the leftmost of equals.
///
/// The pairs stand in a tournament: leaves hold rank and position of the pair that starts there, every sixteen
/// nodes have their lowest above them, so the next pair is at the top and a change is told to one node a level.
///
/// Owns scratch memory that it reuses; nothing is allocated before the first piece.
struct MergeTree: ~Copyable {
    private(set) var capacity = 0
    /// All levels, leaves first.
    private var nodes: UnsafeMutablePointer<UInt64>?
    private var links: UnsafeMutablePointer<Part>?

    init() {}

    deinit {
        nodes?.deallocate()
        links?.deallocate()
    }

    /// A part of the piece, kept at the offset where it starts.
    struct Part {
        var end: Int32
        /// Where the part before it starts; negative for the first.
        var previous: Int32
    }

    /// Merges until no pair is a token.
    ///
    /// - Parameters:
    ///   - count: at least 1, at most 2³⁰.
    ///   - readable: how many bytes from `piece` on may be read, at least `count`.
    /// - Returns: the parts that remain; valid until the next call.
    /// - Complexity: O(*n* log *n*) for a piece of *n* bytes.
    mutating func merge(
        _ piece: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        in vocabulary: Vocabulary
    ) -> MergedParts {
        if count > capacity { grow(to: count) }
        guard let nodes, let links else { preconditionFailure("scratch memory was made above") }
        let pairs = PairTournament(nodes: nodes, count: count)
        let pass = MergePass(
            piece: piece,
            count: count,
            readable: readable,
            vocabulary: vocabulary,
            parts: links
        )
        return MergedParts(count: pass.run(pairs), end: count, parts: links)
    }

    private mutating func grow(to count: Int) {
        nodes?.deallocate()
        links?.deallocate()
        capacity = max(count, 64)
        nodes = .allocate(capacity: PairTournament.nodes(for: capacity))
        links = .allocate(capacity: capacity)
    }
}

/// The parts of a merged piece, in order.
struct MergedParts {
    /// How many there are.
    let count: Int
    fileprivate let end: Int
    fileprivate let parts: UnsafeMutablePointer<MergeTree.Part>

    fileprivate init(count: Int, end: Int, parts: UnsafeMutablePointer<MergeTree.Part>) {
        self.count = count
        self.end = end
        self.parts = parts
    }

    @inline(__always)
    func forEach(_ body: (_ start: Int, _ end: Int) -> Void) {
        var start = 0
        while start < end {
            let next = Int(parts[start].end)
            body(start, next)
            start = next
        }
    }
}

/// One piece while it is merged.
private struct MergePass {
    let piece: UnsafePointer<UInt8>
    let count: Int
    let readable: Int
    let vocabulary: Vocabulary
    let parts: UnsafeMutablePointer<MergeTree.Part>

    /// - Returns: how many parts remain.
    func run(_ pairs: PairTournament) -> Int {
        var left =
            switch vocabulary.unit {
            case .byte: layBytes(pairs)
            case .scalar: layScalars(pairs)
            }
        pairs.build()
        while true {
            let first = pairs.lowest
            guard first != PairTournament.none else { return left }
            mergePair(at: Int(truncatingIfNeeded: first & 0xFFFF_FFFF), pairs)
            left &-= 1
        }
    }

    /// Makes each byte a part.
    @inline(__always)
    private func layBytes(_ pairs: PairTournament) -> Int {
        for i in 0..<count {
            let start = Int32(truncatingIfNeeded: i)
            parts[i] = MergeTree.Part(end: start &+ 1, previous: start &- 1)
            let rank = i &+ 1 < count ? vocabulary.pairRank(piece[i], piece[i &+ 1]) : Vocabulary.none
            pairs.setLeaf(i, to: leaf(rank, at: i))
        }
        return count
    }

    /// Makes each scalar a part, and each byte of one that is no token.
    @inline(never)
    private func layScalars(_ pairs: PairTournament) -> Int {
        var previous = -1
        var start = 0
        var laid = 0
        while start < count {
            let end = vocabulary.scalarEnd(in: piece, from: start, count: count, readable: readable)
            parts[start] = MergeTree.Part(
                end: Int32(truncatingIfNeeded: end),
                previous: Int32(truncatingIfNeeded: previous)
            )
            for i in start..<end {
                pairs.setLeaf(i, to: PairTournament.none)
            }
            if previous >= 0 {
                pairs.setLeaf(previous, to: pair(from: previous, to: end))
            }
            laid &+= 1
            previous = start
            start = end
        }
        return laid
    }

    @inline(__always)
    private func mergePair(at start: Int, _ pairs: PairTournament) {
        let middle = Int(parts[start].end)
        let end = Int(parts[middle].end)
        let previous = Int(parts[start].previous)
        parts[start].end = Int32(truncatingIfNeeded: end)
        pairs.setLeaf(middle, to: PairTournament.none)
        if end < count {
            parts[end].previous = Int32(truncatingIfNeeded: start)
            pairs.setLeaf(start, to: pair(from: start, to: Int(parts[end].end)))
        } else {
            pairs.setLeaf(start, to: PairTournament.none)
        }
        if previous >= 0 {
            pairs.setLeaf(previous, to: pair(from: previous, to: end))
        }
        pairs.settle(previous >= 0 ? previous : start, start, middle)
    }

    @inline(__always)
    private func pair(from start: Int, to end: Int) -> UInt64 {
        leaf(vocabulary.rank(piece + start, count: end &- start, readable: readable &- start), at: start)
    }

    /// Rank and position in one number, so that the lowest is the leftmost of the lowest rank.
    @inline(__always)
    private func leaf(_ rank: UInt32, at start: Int) -> UInt64 {
        rank == Vocabulary.none
            ? PairTournament.none : UInt64(rank) &<< 32 | UInt64(truncatingIfNeeded: start)
    }
}

/// The lowest of many numbers, of which few change at a time.
///
/// Each level is padded to whole blocks of sixteen; the node above a block is its lowest. The top level is one
/// block.
private struct PairTournament {
    static let none = UInt64.max
    private static let fan = 16

    private let leaves: UnsafeMutablePointer<UInt64>
    private let count: Int
    private let top: UnsafeMutablePointer<UInt64>

    /// - Parameter nodes: room for ``nodes(for:)`` numbers.
    init(nodes: UnsafeMutablePointer<UInt64>, count: Int) {
        self.leaves = nodes
        self.count = count
        var top = nodes
        var width = Self.padded(count)
        while width > Self.fan {
            top += width
            width = Self.padded(width / Self.fan)
        }
        self.top = top
    }

    static func nodes(for count: Int) -> Int {
        var width = padded(count)
        var total = width
        while width > fan {
            width = padded(width / fan)
            total += width
        }
        return total
    }

    @inline(__always)
    private static func padded(_ count: Int) -> Int {
        (count &+ 15) & ~15
    }

    @inline(__always)
    var lowest: UInt64 {
        Self.lowest(of: top)
    }

    /// Changes a leaf; what is above it is wrong until ``build()`` or ``settle(_:_:_:)``.
    @inline(__always)
    func setLeaf(_ index: Int, to value: UInt64) {
        leaves[index] = value
    }

    /// Fills the padding and all levels above the leaves.
    func build() {
        var level = leaves
        var used = count
        while true {
            let width = Self.padded(used)
            for i in used..<width {
                level[i] = Self.none
            }
            guard width > Self.fan else { return }
            used = width / Self.fan
            for block in 0..<used {
                level[width &+ block] = Self.lowest(of: level + block &* Self.fan)
            }
            level += width
        }
    }

    /// Puts right what is above three ascending leaves, once where they share a block.
    @inline(__always)
    func settle(_ first: Int, _ second: Int, _ third: Int) {
        guard top != leaves else { return }
        settle(third)
        if second &>> 4 != third &>> 4 { settle(second) }
        if first &>> 4 != second &>> 4 { settle(first) }
    }

    @inline(__always)
    private func settle(_ leaf: Int) {
        var level = leaves
        var width = Self.padded(count)
        var index = leaf
        while width > Self.fan {
            let block = index &>> 4
            let lowest = Self.lowest(of: level + block &* Self.fan)
            level += width
            guard level[block] != lowest else { return }
            level[block] = lowest
            width = Self.padded(width &>> 4)
            index = block
        }
    }

    /// The lowest of a block, by four independent chains.
    @inline(__always)
    private static func lowest(of block: UnsafeMutablePointer<UInt64>) -> UInt64 {
        var a = block[0]
        var b = block[1]
        var c = block[2]
        var d = block[3]
        for i in stride(from: 4, to: fan, by: 4) {
            a = min(a, block[i])
            b = min(b, block[i &+ 1])
            c = min(c, block[i &+ 2])
            d = min(d, block[i &+ 3])
        }
        return min(min(a, b), min(c, d))
    }
}
