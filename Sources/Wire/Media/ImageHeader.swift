/// What the first bytes of an image file say: its kind, width and height.
///
/// The kind comes from the bytes, never from a declared type. Rotation by metadata is not applied: the formulas
/// for tokens do not tell width from height.
public struct ImageHeader: Equatable, Sendable {
    /// The raw value is the subtype of the media type, such as `png` in `image/png`.
    public enum Kind: String, CaseIterable, Sendable {
        case png, jpeg, gif, webp, bmp, avif, heic
        /// A HEIF file that does not name its codec.
        case heif
    }

    public var kind: Kind
    /// In pixels, at least 1.
    public var width: Int
    /// In pixels, at least 1.
    public var height: Int

    public init(kind: Kind, width: Int, height: Int) {
        self.kind = kind
        self.width = width
        self.height = height
    }

    /// Reads the start of an image file.
    ///
    /// - Parameter bytes: the file, or as much of it as there is.
    /// - Returns: nil for another kind, a damaged header, or too few bytes.
    /// - Complexity: O(1): at most ``mostBytes`` bytes are looked at, wherever they lie.
    public init?(reading bytes: UnsafeRawBufferPointer) {
        var reader = HeaderReader(bytes, isBase64: false)
        self.init(&reader)
    }

    /// Reads the start of an image file in Base64, bare or as a data URL.
    ///
    /// Only the digits that stand for the header are decoded: metadata before the frame header of a JPEG and
    /// image data before the `meta` box of a HEIF file are jumped over. In a text with escapes, such as the `\/`
    /// of PHP's encoder, nothing can be jumped over, so the header must lie in the first ``mostEscapedBytes``.
    ///
    /// - Returns: nil for anything else, such as the address of an image.
    /// - Complexity: O(1) in the size of the text.
    public init?(base64 text: JSONText, in document: UnsafeRawBufferPointer) {
        guard text.hasEscapes else {
            self.init(base64: UnsafeRawBufferPointer(rebasing: document[text.range]))
            return
        }
        let end = min(text.range.upperBound, text.range.lowerBound + Self.mostEscapedBytes)
        let start = JSONText(range: text.range.lowerBound..<end, hasEscapes: true)
        var plain: [UInt8] = []
        start.append(to: &plain, from: document)
        plain.removeAll { $0 == 0x0A || $0 == 0x0D || $0 == 0x20 || $0 == 0x09 }
        guard let header = plain.withUnsafeBytes({ ImageHeader(base64: $0) }) else { return nil }
        self = header
    }

    /// Reads the start of an image file in Base64, bare or as a data URL.
    ///
    /// Takes the standard and the URL-safe alphabet, with and without padding.
    ///
    /// - Returns: nil for anything else, such as the address of an image.
    /// - Complexity: O(1) in the size of the text.
    public init?(base64 text: UnsafeRawBufferPointer) {
        guard let digits = Self.digits(of: text) else { return nil }
        var reader = HeaderReader(digits, isBase64: true)
        self.init(&reader)
    }

    /// The most bytes of a file that are looked at.
    public static let mostBytes = 16_384
    /// The most bytes of a text with escapes that are decoded.
    public static let mostEscapedBytes = 131_072
    /// The longest type and parameters that a data URL may have.
    private static let mostTypeBytes = 256

    /// The text behind the comma of a data URL; of any other text all.
    private static func digits(of text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        // Schemes are case-insensitive (RFC 3986, section 3.1).
        guard text.prefix(5).elementsEqual("data:".utf8, by: { $0 | 0x20 == $1 | 0x20 }) else { return text }
        guard let comma = text.prefix(mostTypeBytes).firstIndex(of: 0x2C) else { return nil }
        return UnsafeRawBufferPointer(rebasing: text[(comma + 1)...])
    }

    private init?(_ reader: inout HeaderReader) {
        let header =
            Self.png(&reader) ?? Self.jpeg(&reader) ?? Self.webP(&reader) ?? Self.gif(&reader)
            ?? Self.bmp(&reader) ?? Self.heif(&reader)
        guard let header, header.width > 0, header.height > 0 else { return nil }
        self = header
    }

    /// - Returns: nil when a side is missing.
    init?(_ kind: Kind, _ width: Int?, _ height: Int?) {
        guard let width, let height else { return nil }
        self.init(kind: kind, width: width, height: height)
    }
}
