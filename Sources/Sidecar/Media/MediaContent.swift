internal import NIOCore
internal import ObjectStore
internal import Wire

/// Why a text does not become a stored image; it then passes through as it is.
enum MediaFault: String, Error, CaseIterable, Sendable {
    /// Not Base64 as it should be written: damaged, or a text that means the same bytes as another one.
    case notBase64 = "not_base64"
    /// Of no kind that is stored, whatever it claims to be.
    case notAnImage = "not_an_image"
    case tooLarge = "too_large"
}

/// Base64 in a JSON string, which shares its memory with the body that it lies in.
struct MediaText: Sendable {
    let base64: ByteBuffer
    /// Whether a backslash is among the digits.
    let hasEscapes: Bool
}

/// An image as it came: Base64, decoded in pieces as they are asked for.
struct MediaContent: Sendable {
    /// The largest image, decoded.
    static let mostBytes = 50_000_000

    let text: MediaText
    let name: ObjectName
    /// Of the image, decoded.
    let byteCount: Int

    /// Decodes a text once, to check it and to compute the digest.
    ///
    /// - Throws: ``MediaFault``; what shows at the start costs no more than looking there.
    /// - Complexity: O(*n*), about 3 ns a byte, bound by SHA-256; not for an event loop.
    init(_ text: MediaText) throws(MediaFault) {
        guard let format = Self.format(of: text) else { throw .notAnImage }
        guard text.hasEscapes || text.base64.readableBytes / 4 * 3 <= Self.mostBytes + 3 else {
            throw .tooLarge
        }
        var hasher = ContentHasher()
        var byteCount = 0
        var pieces = MediaPieces(of: text.base64)
        do throws(Base64Decoder.Failure) {
            while let piece = try pieces.next() {
                byteCount += piece.readableBytes
                guard byteCount <= Self.mostBytes else { break }
                piece.withUnsafeReadableBytes { hasher.update($0) }
            }
        } catch {
            throw .notBase64
        }
        guard byteCount <= Self.mostBytes else { throw .tooLarge }
        self.text = text
        self.byteCount = byteCount
        name = ObjectName(digest: hasher.finalize(), format: format)
    }

    /// The image in pieces, decoded anew.
    var pieces: MediaPieces { MediaPieces(of: text.base64) }

    /// The kind by the first bytes; nil for one that is not stored.
    private static func format(of text: MediaText) -> ImageFormat? {
        let header = text.base64.withUnsafeReadableBytes { raw in
            ImageHeader(base64: JSONText(range: 0..<raw.count, hasEscapes: text.hasEscapes), in: raw)
        }
        switch header?.kind {
        case .png: return .png
        case .jpeg: return .jpeg
        case .gif: return .gif
        case .webp: return .webp
        case .bmp: return .bmp
        case .avif: return .avif
        case .heic: return .heic
        // Without its codec's name it has no type to be served as.
        case .heif, nil: return nil
        }
    }
}

/// Decodes Base64 piece by piece.
struct MediaPieces: Sendable {
    /// Digits of one piece: large enough to be worth a write, small enough to keep many.
    static let textBytes = 262_144

    private var rest: ByteBuffer
    private var decoder = Base64Decoder()
    private var isOver = false

    fileprivate init(of base64: ByteBuffer) {
        rest = base64
    }

    /// The next piece; nil after the last one.
    ///
    /// - Throws: where the text is not canonical Base64, at its end at the latest.
    mutating func next() throws(Base64Decoder.Failure) -> ByteBuffer? {
        guard let text = rest.readSlice(length: min(Self.textBytes, rest.readableBytes)),
            text.readableBytes > 0
        else {
            if !isOver { try decoder.finish() }
            isOver = true
            return nil
        }
        let room = Base64Decoder.mostBytes(forText: text.readableBytes)
        var piece = ByteBuffer()
        var failure: Base64Decoder.Failure?
        piece.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { output in
            text.withUnsafeReadableBytes { input in
                do throws(Base64Decoder.Failure) {
                    return try decoder.decode(input, into: output)
                } catch {
                    failure = error
                    return 0
                }
            }
        }
        if let failure { throw failure }
        return piece
    }
}
