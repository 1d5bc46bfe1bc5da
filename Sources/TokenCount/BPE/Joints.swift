/// Between which neighbouring scalars some token of a vocabulary lies, or may lie.
///
/// Merging never joins what no token holds. So a piece may be cut between two scalars that no token has as neighbours,
/// and merging its parts gives the tokens that merging the whole would. A line of Chinese falls into words so.
///
/// `scripts/joints.py` makes the table and describes it. Pairs of ASCII scalars and what follows a space are not in it;
/// there is no cut between them.
struct Joints {
    /// A bit for each pair of the last byte of one scalar and the first one of the other.
    private let ends: UnsafePointer<UInt8>
    /// A bit for each hash of the last two bytes of one scalar and the first three of the other.
    private let hashes: UnsafePointer<UInt8>
    /// Leaves of a hash as many bits as number the places.
    private let shift: UInt64

    /// - Parameters:
    ///   - table: valid as long as the value.
    ///   - bits: the binary logarithm of the number of hashes.
    init(_ table: UnsafePointer<UInt8>, bits: UInt32) {
        ends = table
        hashes = table + 512
        shift = UInt64(64 - bits)
    }

    /// Where the part ends that starts at an offset: at the first cut behind it, or with the piece.
    ///
    /// - Parameters:
    ///   - start: less than `count`, at a scalar.
    ///   - readable: how many bytes from `piece` on may be read, at least `count`.
    @inline(__always)
    func partEnd(of piece: UnsafePointer<UInt8>, from start: Int, count: Int, readable: Int) -> Int {
        var left = EncodedScalar(piece + start, readable: readable &- start)
        var end = start &+ left.length
        while end < count {
            let right = EncodedScalar(piece + end, readable: readable &- end)
            if left.isASCII, right.isASCII {
                end = min(Self.endOfASCII(piece, from: end, readable: readable), count)
                left = EncodedScalar(ascii: piece[end &- 1])
                continue
            }
            guard left.isSpace || hold(left, right) else { return end }
            left = right
            end &+= right.length
        }
        return end
    }

    @inline(__always)
    private func hold(_ left: EncodedScalar, _ right: EncodedScalar) -> Bool {
        let end = Int(left.lastSixBits &<< 6 | right.firstSixBits)
        let key = UInt64(left.lastTwo) &<< 24 | UInt64(right.firstThree)
        let hash = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> shift)
        return Self.bit(hash, of: hashes) | Self.bit(end, of: ends) != 0
    }

    @inline(__always)
    private static func bit(_ place: Int, of table: UnsafePointer<UInt8>) -> UInt8 {
        table[place &>> 3] &>> UInt8(truncatingIfNeeded: place & 7) & 1
    }

    /// Goes over an ASCII byte, or eight at once.
    @inline(__always)
    private static func endOfASCII(_ piece: UnsafePointer<UInt8>, from start: Int, readable: Int) -> Int {
        guard readable &- start >= 8 else { return start &+ 1 }
        let word = UnsafeRawPointer(piece + start).loadUnaligned(as: UInt64.self)
        return start &+ (word & 0x8080_8080_8080_8080 == 0 ? 8 : 1)
    }
}

/// The bytes of a scalar in UTF-8 as a number, the first one lowest.
private struct EncodedScalar {
    private let bytes: UInt32
    let length: Int

    @inline(__always)
    init(_ start: UnsafePointer<UInt8>, readable: Int) {
        // As many ones lead the first byte of a longer scalar.
        length = max(1, (~start[0]).leadingZeroBitCount)
        guard readable < 4 else {
            let word = UInt32(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt32.self))
            bytes = word & (UInt32.max &>> UInt32(truncatingIfNeeded: 32 &- 8 &* length))
            return
        }
        bytes = (0..<length).reduce(0) { $0 | UInt32(start[$1]) &<< UInt32(truncatingIfNeeded: 8 &* $1) }
    }

    @inline(__always)
    init(ascii: UInt8) {
        bytes = UInt32(ascii)
        length = 1
    }

    @inline(__always)
    var isASCII: Bool { bytes < 0x80 }

    @inline(__always)
    var isSpace: Bool { bytes == 0x20 }

    @inline(__always)
    var firstThree: UInt32 { bytes & 0xFF_FFFF }

    /// An ASCII scalar is the second one, behind nothing.
    @inline(__always)
    var lastTwo: UInt32 {
        UInt32(truncatingIfNeeded: (UInt64(bytes) &<< 16) &>> UInt64(truncatingIfNeeded: 8 &* length))
            & 0xFFFF
    }

    @inline(__always)
    var firstSixBits: UInt32 { bytes & 63 }

    @inline(__always)
    var lastSixBits: UInt32 { lastTwo &>> 8 & 63 }
}
