internal import FoundationEssentials
internal import TokenCount
internal import Wire

/// Counts an image by its size, without decoding more of it than its header.
enum ImageCount {
    /// Base64 digits that hold the header of every format that is read: 768 bytes.
    private static let headerDigits = 1024

    static func tokens(
        of part: Conversation.Part,
        _ detail: Conversation.ImageDetail,
        in body: UnsafeRawBufferPointer
    ) -> Int {
        guard detail == .high else { return ImageRule.openAI.tokens(for: nil) }
        return ImageRule.openAI.tokens(for: size(of: part, in: body), detail: .high)
    }

    /// Nil for an image that is named by an address, or whose format is not known.
    private static func size(of part: Conversation.Part, in body: UnsafeRawBufferPointer) -> PixelSize? {
        let text = body.slice(part.text.range)
        let start = part.kind == .imageData ? 0 : (text.firstIndex(of: 0x2C).map { $0 + 1 } ?? text.count)
        let digits = text[start...].prefix(headerDigits)
        guard let data = Data(base64Encoded: Data(digits.prefix(digits.count / 4 * 4))) else { return nil }
        return data.withUnsafeBytes { PixelSize.of(header: $0) }
    }
}
