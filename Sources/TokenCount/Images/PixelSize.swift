/// Width and height of an image in pixels, both at least 1.
public struct PixelSize: Equatable, Sendable {
    public var width: Int
    public var height: Int

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// The size that the first bytes of a PNG, JPEG, GIF, WebP or BMP file state.
    ///
    /// The kind comes from the bytes, never from a declared type. Rotation by Exif is not applied: the formulas
    /// for tokens do not tell width from height.
    ///
    /// - Parameter header: decoded bytes from the file's start. 32 do for all but JPEG, whose frame header stands
    ///   behind metadata of any length.
    /// - Returns: nil for another kind, a damaged header, or too few bytes.
    public static func of(header: UnsafeRawBufferPointer) -> PixelSize? {
        let bytes = HeaderBytes(header)
        let size = png(bytes) ?? jpeg(bytes) ?? gif(bytes) ?? webP(bytes) ?? bmp(bytes)
        return size.flatMap { $0.width > 0 && $0.height > 0 ? $0 : nil }
    }

    /// The size that the first bytes of an image file state.
    public static func of(header: [UInt8]) -> PixelSize? {
        header.withUnsafeBytes { of(header: $0) }
    }
}

extension PixelSize {
    private init?(_ width: Int?, _ height: Int?) {
        guard let width, let height else { return nil }
        self.init(width: width, height: height)
    }

    /// The first chunk is always IHDR (PNG, section 11.2.1).
    private static func png(_ bytes: HeaderBytes) -> PixelSize? {
        guard bytes.big(0, bytes: 8) == Int(bitPattern: 0x8950_4E47_0D0A_1A0A), bytes.has("IHDR", at: 12)
        else { return nil }
        return PixelSize(bytes.big(16, bytes: 4), bytes.big(20, bytes: 4))
    }

    private static func gif(_ bytes: HeaderBytes) -> PixelSize? {
        guard bytes.has("GIF87a") || bytes.has("GIF89a") else { return nil }
        return PixelSize(bytes.little(6, bytes: 2), bytes.little(8, bytes: 2))
    }

    /// The oldest header has 16-bit sizes; in later ones a negative height means rows from the top.
    private static func bmp(_ bytes: HeaderBytes) -> PixelSize? {
        guard bytes.has("BM"), let headerSize = bytes.little(14, bytes: 4) else { return nil }
        if headerSize == 12 {
            return PixelSize(bytes.little(18, bytes: 2), bytes.little(20, bytes: 2))
        }
        guard headerSize >= 40, let width = bytes.little(18, bytes: 4),
            let height = bytes.little(22, bytes: 4)
        else { return nil }
        let signed = Int(Int32(truncatingIfNeeded: height))
        return PixelSize(width: Int(Int32(truncatingIfNeeded: width)), height: abs(signed))
    }

    /// Lossy (RFC 6386, section 9.1), lossless and extended files (RFC 9649) differ in their first chunk.
    private static func webP(_ bytes: HeaderBytes) -> PixelSize? {
        guard bytes.has("RIFF"), bytes.has("WEBP", at: 8) else { return nil }
        if bytes.has("VP8 ", at: 12), bytes.little(23, bytes: 3) == 0x2A_019D {
            return PixelSize(
                bytes.little(26, bytes: 2).map { $0 & 0x3FFF },
                bytes.little(28, bytes: 2).map { $0 & 0x3FFF }
            )
        }
        if bytes.has("VP8L", at: 12), bytes.byte(20) == 0x2F, let bits = bytes.little(21, bytes: 4) {
            return PixelSize(width: (bits & 0x3FFF) + 1, height: (bits >> 14 & 0x3FFF) + 1)
        }
        if bytes.has("VP8X", at: 12) {
            return PixelSize(
                bytes.little(24, bytes: 3).map { $0 + 1 },
                bytes.little(27, bytes: 3).map { $0 + 1 }
            )
        }
        return nil
    }

    /// Walks the segments to the frame header (ITU-T T.81, annex B).
    private static func jpeg(_ bytes: HeaderBytes) -> PixelSize? {
        guard bytes.big(0, bytes: 2) == 0xFFD8 else { return nil }
        var at = 2
        while bytes.byte(at) == 0xFF, let marker = bytes.byte(at + 1) {
            switch marker {
            case 0xFF:  // Fill before a marker.
                at += 1
            case 0x01, 0xD0...0xD7:  // No length follows.
                at += 2
            case 0xC0...0xCF where marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
                return PixelSize(bytes.big(at + 7, bytes: 2), bytes.big(at + 5, bytes: 2))
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
