extension ImageHeader {
    /// The first chunk is always IHDR (PNG, section 11.2.1).
    static func png(_ bytes: inout HeaderReader) -> ImageHeader? {
        guard bytes.big(0, bytes: 8) == Int(bitPattern: 0x8950_4E47_0D0A_1A0A), bytes.has("IHDR", at: 12)
        else { return nil }
        return ImageHeader(.png, bytes.big(16, bytes: 4), bytes.big(20, bytes: 4))
    }

    /// The size of the logical screen (GIF89a, section 18).
    static func gif(_ bytes: inout HeaderReader) -> ImageHeader? {
        guard bytes.has("GIF8"), bytes.has("7a", at: 4) || bytes.has("9a", at: 4) else { return nil }
        return ImageHeader(.gif, bytes.little(6, bytes: 2), bytes.little(8, bytes: 2))
    }

    /// The oldest header has 16-bit sizes; in later ones a negative height means rows from the top.
    static func bmp(_ bytes: inout HeaderReader) -> ImageHeader? {
        guard bytes.has("BM"), let headerSize = bytes.little(14, bytes: 4) else { return nil }
        if headerSize == 12 {
            return ImageHeader(.bmp, bytes.little(18, bytes: 2), bytes.little(20, bytes: 2))
        }
        guard headerSize >= 40, let width = bytes.little(18, bytes: 4),
            let height = bytes.little(22, bytes: 4)
        else { return nil }
        let signed = Int(Int32(truncatingIfNeeded: height))
        return ImageHeader(kind: .bmp, width: Int(Int32(truncatingIfNeeded: width)), height: abs(signed))
    }

    /// Lossy (RFC 6386, section 9.1), lossless and extended files (RFC 9649) differ in their first chunk.
    static func webP(_ bytes: inout HeaderReader) -> ImageHeader? {
        guard bytes.has("RIFF"), bytes.has("WEBP", at: 8) else { return nil }
        if bytes.has("VP8 ", at: 12), bytes.little(23, bytes: 3) == 0x2A_019D {
            return ImageHeader(
                .webp,
                bytes.little(26, bytes: 2).map { $0 & 0x3FFF },
                bytes.little(28, bytes: 2).map { $0 & 0x3FFF }
            )
        }
        if bytes.has("VP8L", at: 12), bytes.byte(20) == 0x2F, let bits = bytes.little(21, bytes: 4) {
            return ImageHeader(kind: .webp, width: (bits & 0x3FFF) + 1, height: (bits >> 14 & 0x3FFF) + 1)
        }
        guard bytes.has("VP8X", at: 12) else { return nil }
        return ImageHeader(
            .webp,
            bytes.little(24, bytes: 3).map { $0 + 1 },
            bytes.little(27, bytes: 3).map { $0 + 1 }
        )
    }

    /// Walks the segments to the frame header (ITU-T T.81, annex B).
    static func jpeg(_ bytes: inout HeaderReader) -> ImageHeader? {
        guard bytes.big(0, bytes: 2) == 0xFFD8 else { return nil }
        var at = 2
        while bytes.byte(at) == 0xFF, let marker = bytes.byte(at + 1) {
            switch marker {
            case 0xFF:  // Fill before a marker.
                at += 1
            case 0x01, 0xD0...0xD7:  // No length follows.
                at += 2
            case 0xC0...0xCF where marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
                return ImageHeader(.jpeg, bytes.big(at + 7, bytes: 2), bytes.big(at + 5, bytes: 2))
            case 0xD8, 0xD9, 0xDA:  // Image data or the end, and no frame header before it.
                return nil
            default:
                guard let length = bytes.big(at + 2, bytes: 2), length >= 2 else { return nil }
                at += 2 + length
            }
        }
        return nil
    }
}
