/// The kinds of images that are stored, by the extension that their names have.
///
/// The list is closed: whatever else claims to be an image never gets a name, and so is never served.
public enum ImageFormat: String, CaseIterable, Sendable {
    case png
    case jpeg = "jpg"
    case gif, webp, bmp, avif, heic

    /// The media type that the store answers with.
    public var contentType: String {
        switch self {
        case .jpeg: "image/jpeg"
        default: "image/\(rawValue)"
        }
    }
}

/// The name of a stored image: the digest of its bytes and its kind.
///
/// Equal images have one name, so that each is stored once, and a name tells nothing about who sent it. It cannot be
/// guessed without the image.
public struct ObjectName: Hashable, Sendable {
    /// Of the image's bytes.
    public let digest: ContentDigest
    /// Chosen by the image's bytes, whatever its sender called it.
    public let format: ImageFormat

    /// The name of an image with this digest.
    public init(digest: ContentDigest, format: ImageFormat) {
        self.digest = digest
        self.format = format
    }

    /// Reads a key as ``key`` writes it: `ab/ab…64 digits….png`.
    ///
    /// - Returns: nil for everything else: other lengths, upper case, a folder that is not the digest's, other
    ///   extensions, further slashes, dots or escapes.
    public init?(key: some StringProtocol) {
        let bytes = Array(key.utf8.prefix(Self.mostKeyBytes + 1))
        guard bytes.count > 3, bytes[2] == UInt8(ascii: "/"), bytes[..<2] == bytes[3...].prefix(2) else {
            return nil
        }
        self.init(fileName: bytes[3...])
    }

    /// Reads a name as ``fileName`` writes it: 64 digits, a dot and the extension.
    ///
    /// - Returns: nil for everything else.
    public init?(fileName: some StringProtocol) {
        self.init(fileName: Array(fileName.utf8.prefix(Self.mostKeyBytes))[...])
    }

    private init?(fileName bytes: ArraySlice<UInt8>) {
        let digits = bytes.prefix(ContentDigest.digitCount)
        let suffix = bytes[digits.endIndex...]
        guard let digest = ContentDigest(digits: digits), suffix.first == UInt8(ascii: "."),
            let format = ImageFormat.allCases.first(where: {
                suffix.dropFirst().elementsEqual($0.rawValue.utf8)
            })
        else { return nil }
        self.init(digest: digest, format: format)
    }

    /// Where the object lies in its store; the first two digits spread the objects over 256 folders.
    public var key: String {
        let name = fileName
        return "\(name.prefix(2))/\(name)"
    }

    /// The last part of the key.
    public var fileName: String {
        "\(digest.hexadecimal).\(format.rawValue)"
    }

    /// Longer texts are no keys.
    private static let mostKeyBytes = 80
}
