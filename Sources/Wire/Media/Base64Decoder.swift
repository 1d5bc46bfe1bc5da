/// Decodes Base64 that comes in pieces, as it is written in a JSON string.
///
/// Strict, so that equal bytes come from one text only: the alphabet of RFC 4648, section 4, padding, no white space,
/// and zeros in the bits that the last digit does not need (section 3.5). Escapes of JSON are understood where they
/// stand for digits or padding: PHP writes `/` as `\/`, .NET writes `+` as `\u002B`.
public struct Base64Decoder: Sendable {
    /// Why a text is not canonical Base64.
    public enum Failure: Error, Equatable, Sendable {
        /// Neither a digit nor padding.
        case foreignByte
        /// Padding is missing, or is where none belongs.
        case wrongPadding
        /// The last digit has bits that stand for nothing, and they are not zero.
        case strayBits
    }

    private enum Escape {
        case none
        case begun
        /// Some of the four digits behind `\u` have come.
        case scalar(digits: Int, value: UInt32)
    }

    private var escape = Escape.none
    /// Digits and padding of the group of four that is not complete.
    private var digits = 0
    private var padding = 0
    /// What the digits of that group stand for.
    private var bits: UInt32 = 0

    /// At the start of a text.
    public init() {}

    /// The most bytes that a piece of this size is decoded to.
    public static func mostBytes(forText byteCount: Int) -> Int {
        (byteCount + 3) / 4 * 3
    }

    /// Decodes the next piece; how the text is cut makes no difference.
    ///
    /// After a failure the decoder is of no use any more.
    ///
    /// - Parameter output: has room for ``mostBytes(forText:)`` of the piece; from its start on it is written to.
    /// - Returns: how many bytes were written.
    /// - Complexity: O(*n*), about 0.3 ns a byte; around an escape about 3 ns.
    public mutating func decode(
        _ text: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(Failure) -> Int {
        precondition(output.count >= Self.mostBytes(forText: text.count), "no room for what is decoded")
        var read = 0
        var written = 0
        while read < text.count {
            var end = read
            if isBetweenGroups {
                let blocks = Base64Blocks.decode(
                    UnsafeRawBufferPointer(rebasing: text[read...]),
                    into: UnsafeMutableRawBufferPointer(rebasing: output[written...])
                )
                read &+= blocks &* Base64Blocks.digitCount
                written &+= blocks &* Base64Blocks.byteCount
                // What ended the blocks lies in the next one: that goes digit by digit.
                end = read &+ Base64Blocks.digitCount
            }
            while read < text.count, read < end || !isBetweenGroups {
                try take(text[read], output, &written)
                read &+= 1
            }
        }
        return written
    }

    /// Says that the text is over.
    ///
    /// - Throws: ``Failure`` when it ends inside a group of four digits or inside an escape.
    public func finish() throws(Failure) {
        guard case .none = escape else { throw .foreignByte }
        guard digits == 0 || digits + padding == 4 else { throw .wrongPadding }
    }

    /// Whether the next byte begins a group of four.
    private var isBetweenGroups: Bool {
        guard digits == 0, case .none = escape else { return false }
        return true
    }

    private mutating func take(
        _ byte: UInt8,
        _ output: UnsafeMutableRawBufferPointer,
        _ written: inout Int
    ) throws(Failure) {
        switch escape {
        case .none where byte == Ascii.backslash:
            escape = .begun
        case .none:
            try takeDigit(byte, output, &written)
        case .begun:
            try begin(byte, output, &written)
        case .scalar(let count, let value):
            guard let digit = Self.hexValue(of: byte) else { throw .foreignByte }
            guard count == 3 else {
                escape = .scalar(digits: count + 1, value: value << 4 | digit)
                return
            }
            guard let meant = UInt8(exactly: value << 4 | digit) else { throw .foreignByte }
            escape = .none
            try takeDigit(meant, output, &written)
        }
    }

    /// What follows a backslash.
    private mutating func begin(
        _ byte: UInt8,
        _ output: UnsafeMutableRawBufferPointer,
        _ written: inout Int
    ) throws(Failure) {
        guard byte != Ascii.lowerU else {
            escape = .scalar(digits: 0, value: 0)
            return
        }
        guard byte == Ascii.slash else { throw .foreignByte }
        escape = .none
        try takeDigit(byte, output, &written)
    }

    @inline(__always)
    private mutating func takeDigit(
        _ byte: UInt8,
        _ output: UnsafeMutableRawBufferPointer,
        _ written: inout Int
    ) throws(Failure) {
        guard byte != Self.pad else {
            try takePadding(output, &written)
            return
        }
        guard let value = Self.value(ofDigit: byte) else { throw .foreignByte }
        guard padding == 0 else { throw .wrongPadding }
        bits = bits &<< 6 | value
        digits &+= 1
        guard digits == 4 else { return }
        write(3, of: bits, output, &written)
        (digits, bits) = (0, 0)
    }

    private mutating func takePadding(
        _ output: UnsafeMutableRawBufferPointer,
        _ written: inout Int
    ) throws(Failure) {
        guard digits >= 2, digits + padding < 4 else { throw .wrongPadding }
        padding += 1
        guard digits + padding == 4 else { return }
        let group = bits << UInt32(6 * padding)
        guard group & (padding == 1 ? 0xFF : 0xFFFF) == 0 else { throw .strayBits }
        write(3 - padding, of: group, output, &written)
    }

    @inline(__always)
    private func write(
        _ count: Int,
        of group: UInt32,
        _ output: UnsafeMutableRawBufferPointer,
        _ written: inout Int
    ) {
        for place in 0..<count {
            output[written] = UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * place))
            written &+= 1
        }
    }

    private static let pad: UInt8 = 0x3D

    @inline(__always)
    private static func value(ofDigit byte: UInt8) -> UInt32? {
        switch byte {
        case 0x41...0x5A: UInt32(byte) - 0x41
        case 0x61...0x7A: UInt32(byte) - 0x61 + 26
        case 0x30...0x39: UInt32(byte) - 0x30 + 52
        case 0x2B: 62
        case 0x2F: 63
        default: nil
        }
    }

    private static func hexValue(of byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: UInt32(byte) - 0x30
        case 0x41...0x46, 0x61...0x66: UInt32(byte | 0x20) - 0x57
        default: nil
        }
    }
}
