/// The two pieces that came last to their place.
struct PieceSet<Piece: CountedPiece> {
    private var last: Piece
    private var other: Piece

    /// The tokens of a piece if it is here.
    ///
    /// Most pieces that come are the last one again, which one branch decides; so one that is found as the other
    /// becomes the last.
    @inline(__always)
    mutating func tokens(of piece: Piece) -> Int? {
        last.tokens(of: piece) ?? tokensOfOther(piece)
    }

    @inline(__always)
    private mutating func tokensOfOther(_ piece: Piece) -> Int? {
        guard let tokens = other.tokens(of: piece) else { return nil }
        swap(&last, &other)
        return tokens
    }

    @inline(__always)
    mutating func add(_ piece: Piece) {
        other = last
        last = piece
    }
}

/// A piece with the number of its tokens, 0 for unknown.
protocol CountedPiece {
    /// The tokens of a piece if it is this one.
    func tokens(of piece: Self) -> Int?
}

/// A piece of 1 to 15 bytes and the number of its tokens, 0 for unknown.
struct ShortPiece: CountedPiece {
    static var longest: Int { 15 }

    let head: UInt64
    /// The last bytes, then four bits of length and four bits of tokens.
    var tail: UInt64

    /// - Parameter piece: sixteen bytes may be read.
    @inline(__always)
    init(_ piece: UnsafePointer<UInt8>, count: Int) {
        let words = UnsafeRawPointer(piece)
        let count = UInt64(truncatingIfNeeded: count)
        let inHead = UInt64.max &>> (64 &- 8 &* min(count, 8))
        let inTail = count < 8 ? 0 : (UInt64.max &>> 8) &>> (8 &* (15 &- count))
        head = UInt64(littleEndian: words.loadUnaligned(as: UInt64.self)) & inHead
        tail =
            UInt64(littleEndian: words.loadUnaligned(fromByteOffset: 8, as: UInt64.self)) & inTail | count
            &<< 56
    }

    @inline(__always)
    var isASCII: Bool {
        (head | tail & (UInt64.max &>> 8)) & 0x8080_8080_8080_8080 == 0
    }

    @inline(__always)
    func tokens(of piece: ShortPiece) -> Int? {
        // An empty place has the length of no piece.
        let difference = (head ^ piece.head) | (tail ^ piece.tail) &<< 4
        return difference == 0 ? Int(truncatingIfNeeded: tail &>> 60) : nil
    }

    /// The piece with its number of tokens, at most 15.
    @inline(__always)
    func counting(_ tokens: Int) -> ShortPiece {
        var counted = self
        counted.tail |= UInt64(truncatingIfNeeded: tokens) &<< 60
        return counted
    }
}

/// A piece of 16 to 30 bytes and the number of its tokens, 0 for unknown.
struct LongPiece: CountedPiece {
    static var lengths: ClosedRange<Int> { 16...30 }
    static var mostTokens: Int { 15 }

    let first: UInt64
    let second: UInt64
    /// From the sixteenth byte on.
    let rest: ShortPiece

    /// - Parameter piece: thirty-one bytes may be read.
    @inline(__always)
    init(_ piece: UnsafePointer<UInt8>, count: Int) {
        let words = UnsafeRawPointer(piece)
        first = words.loadUnaligned(as: UInt64.self)
        second = words.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        rest = ShortPiece(piece + 15, count: count &- 15)
    }

    private init(_ piece: LongPiece, counting tokens: Int) {
        first = piece.first
        second = piece.second
        rest = piece.rest.counting(tokens)
    }

    @inline(__always)
    func tokens(of piece: LongPiece) -> Int? {
        first == piece.first && second == piece.second ? rest.tokens(of: piece.rest) : nil
    }

    /// The piece with its number of tokens, at most 15.
    @inline(__always)
    func counting(_ tokens: Int) -> LongPiece {
        LongPiece(self, counting: tokens)
    }
}
