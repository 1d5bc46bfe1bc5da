internal import Glibc

/// The numbers of tokens of the pieces that came last, in tables of fixed size where a new piece takes the
/// place of an old one.
///
/// Pieces of up to thirty bytes are compared byte for byte, longer ones by a ``BlockPrint``, so no text can make a count
/// wrong. Their places depend on a secret of the process, so no text can be made whose pieces drive each other out.
///
/// Takes 1.7 MB, of which the kernel gives only the pages that are written.
struct PieceCache: ~Copyable {
    private let memory: UnsafeMutableRawPointer
    /// Valid as long as the cache.
    let slots: PieceSlots

    init() {
        // The kernel gives zeroed memory at its first use. A set never lies in two cache lines.
        guard let memory = calloc(1, PieceSlots.bytes + 64) else {
            preconditionFailure("out of memory")
        }
        self.memory = memory
        slots = PieceSlots(memory.alignedUp(toMultipleOf: 64))
    }

    deinit {
        free(memory)
    }
}

/// Where the pieces of a ``PieceCache`` lie; borrowed from it.
///
/// The loop over a text keeps it in registers, so the tables are told by one address.
struct PieceSlots {
    private typealias ShortSet = PieceSet<ShortPiece>
    private typealias LongSet = PieceSet<LongPiece>

    private static var shortSets: Int { 1 << 14 }
    private static var longSets: Int { 1 << 13 }

    /// How much memory the tables take.
    static var bytes: Int { pieceBytes + BlockSlots.bytes }

    private static var pieceBytes: Int { 2 * shortBytes + longSets * MemoryLayout<LongSet>.stride }

    private static var shortBytes: Int { shortSets * MemoryLayout<ShortSet>.stride }

    /// How pieces are spread over the sets.
    private static let secret: (UInt64, UInt64) = (.random(in: 0 ... .max), .random(in: 0 ... .max))
    private let secret = Self.secret

    /// Short pieces, then short parts of pieces, then long pieces, then blocks and longer pieces.
    ///
    /// Parts have a table of their own, since the same bytes may have other tokens as a whole piece.
    private let tables: UnsafeMutableRawPointer

    /// - Parameter tables: as many ``bytes`` of zeros.
    init(_ tables: UnsafeMutableRawPointer) {
        self.tables = tables
    }

    /// What is remembered of very long pieces.
    private var blocks: BlockSlots { BlockSlots(tables + Self.pieceBytes) }

    @inline(__always)
    private func set(ofPiece piece: ShortPiece) -> UnsafeMutablePointer<ShortSet> {
        tables.assumingMemoryBound(to: ShortSet.self) + place(of: piece)
    }

    @inline(__always)
    private func set(ofPart part: ShortPiece) -> UnsafeMutablePointer<ShortSet> {
        (tables + Self.shortBytes).assumingMemoryBound(to: ShortSet.self) + place(of: part)
    }

    @inline(__always)
    private func set(ofPiece piece: LongPiece) -> UnsafeMutablePointer<LongSet> {
        let head = mixed(piece.first, piece.second)
        let hash = mixed(head ^ piece.rest.head, piece.rest.tail)
        return (tables + 2 * Self.shortBytes).assumingMemoryBound(to: LongSet.self)
            + Int(truncatingIfNeeded: hash & UInt64(Self.longSets &- 1))
    }

    @inline(__always)
    private func place(of piece: ShortPiece) -> Int {
        Int(truncatingIfNeeded: mixed(piece.head, piece.tail) & UInt64(Self.shortSets &- 1))
    }

    @inline(__always)
    private func mixed(_ some: UInt64, _ others: UInt64) -> UInt64 {
        let product = (some ^ secret.0).multipliedFullWidth(by: others ^ secret.1)
        return product.low ^ product.high
    }
}

extension PieceSlots {
    /// The number of a piece's tokens: the remembered one, or what the encoder finds, which is remembered.
    ///
    /// The parameters are those of ``PieceEncoder/encode(_:count:readable:into:)``.
    @inline(__always)
    func tokens(
        of piece: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        by encoder: inout PieceEncoder
    ) -> Int {
        if count <= ShortPiece.longest, readable > ShortPiece.longest {
            let short = ShortPiece(piece, count: count)
            if let tokens = set(ofPiece: short).pointee.tokens(of: short) { return tokens }
        }
        return tokensOfUnusual(piece, count: count, readable: readable, by: &encoder)
    }

    /// A new or longer piece, or one at the end of the text.
    @inline(never)
    private func tokensOfUnusual(
        _ piece: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        by encoder: inout PieceEncoder
    ) -> Int {
        if count > LongPiece.lengths.upperBound {
            return tokensOfLengthy(piece, count: count, readable: readable, by: &encoder)
        }
        guard readable > LongPiece.lengths.upperBound else {
            return tokensOfParts(piece, count: count, readable: readable, by: &encoder)
        }
        if count <= ShortPiece.longest {
            let short = ShortPiece(piece, count: count)
            let tokens =
                short.isASCII
                ? encoder.countUncut(piece, count: count, readable: readable)
                : tokensOfParts(piece, count: count, readable: readable, by: &encoder)
            set(ofPiece: short).pointee.add(short.counting(tokens))
            return tokens
        }
        let long = LongPiece(piece, count: count)
        let set = set(ofPiece: long)
        if let tokens = set.pointee.tokens(of: long) { return tokens }
        let tokens = tokensOfParts(piece, count: count, readable: readable, by: &encoder)
        if tokens <= LongPiece.mostTokens { set.pointee.add(long.counting(tokens)) }
        return tokens
    }

    /// A piece that is too long to be kept itself.
    private func tokensOfLengthy(
        _ piece: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        by encoder: inout PieceEncoder
    ) -> Int {
        if count > encoder.block {
            return encoder.isCutShort(piece, count: count, readable: readable)
                ? tokensOfParts(piece, count: count, readable: readable, by: &encoder)
                : encoder.countLong(piece, count: count, readable: readable, known: blocks)
        }
        let print = BlockPrint(ofPiece: piece, count: count)
        if let result = blocks.result(of: print) { return result.tokens }
        let tokens = tokensOfParts(piece, count: count, readable: readable, by: &encoder)
        blocks.add(BlockResult(tokens: tokens, last: 0..<count), of: print)
        return tokens
    }

    /// The sum over the parts that a piece is cut into.
    @inline(never)
    private func tokensOfParts(
        _ piece: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        by encoder: inout PieceEncoder
    ) -> Int {
        var start = 0
        var tokens = 0
        while start < count {
            let end = encoder.partEnd(of: piece, from: start, count: count, readable: readable)
            if end &- start == count { return encoder.countUncut(piece, count: count, readable: readable) }
            let part = piece + start
            tokens &+= tokensOfPart(part, count: end &- start, readable: readable &- start, by: &encoder)
            start = end
        }
        return tokens
    }

    @inline(__always)
    private func tokensOfPart(
        _ part: UnsafePointer<UInt8>,
        count: Int,
        readable: Int,
        by encoder: inout PieceEncoder
    ) -> Int {
        guard count <= ShortPiece.longest, readable > ShortPiece.longest else {
            return encoder.countPart(part, count: count, readable: readable)
        }
        let short = ShortPiece(part, count: count)
        let set = set(ofPart: short)
        if let tokens = set.pointee.tokens(of: short) { return tokens }
        let tokens = encoder.countPart(part, count: count, readable: readable)
        set.pointee.add(short.counting(tokens))
        return tokens
    }
}
