/// A data URL with Base64 in a JSON string (RFC 2397).
public struct DataURL: Equatable, Sendable {
    /// Why a text is read as it is, and not as one of these.
    public enum Refusal: Error, Equatable, Sendable {
        /// It begins otherwise, as the address of an image does.
        case notDataURL
        /// Its data is plain or percent-encoded text, or its head has no end.
        case notBase64
    }

    /// Type and subtype in lower case, without parameters; `text/plain` where none is named.
    ///
    /// What the sender says: the bytes may be something else.
    public var mediaType: String
    /// The data, as a part of the string.
    ///
    /// It may be empty or damaged: a ``Base64Decoder`` finds out.
    public var base64: JSONText

    /// Reads the start of a text.
    ///
    /// - Parameter document: what `text` lies in.
    /// - Throws: ``Refusal``.
    /// - Complexity: O(1) in the size of the data: it is not looked at.
    public init(_ text: JSONText, in document: UnsafeRawBufferPointer) throws(Refusal) {
        // Schemes are case-insensitive (RFC 3986, section 3.1).
        guard let head = Self.head(of: text, in: document),
            head.bytes.prefix(5).elementsEqual("data:".utf8, by: { Self.lowercased($0) == $1 })
        else { throw .notDataURL }
        guard let end = head.end else { throw .notBase64 }
        let fields = head.bytes.dropFirst(5).map(Self.lowercased)
            .split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        guard fields.last?.elementsEqual("base64".utf8) == true,
            let mediaType = Self.mediaType(fields[0])
        else { throw .notBase64 }
        self.mediaType = mediaType
        base64 = JSONText(range: end + 1..<text.range.upperBound, hasEscapes: text.hasEscapes)
    }

    /// The text up to the first comma, decoded, and the comma's offset; nil of which when it is not near.
    private static func head(
        of text: JSONText,
        in document: UnsafeRawBufferPointer
    ) -> (bytes: [UInt8], end: Int?)? {
        let near = document[text.range].prefix(mostHeadBytes)
        let end = near.firstIndex(of: Ascii.comma)
        let span = JSONText(
            range: text.range.lowerBound..<(end ?? near.endIndex),
            hasEscapes: text.hasEscapes
        )
        var bytes: [UInt8] = []
        span.append(to: &bytes, from: document)
        return (bytes, end)
    }

    /// Two tokens with a slash between (RFC 9110, section 8.3.1).
    private static func mediaType(_ bytes: ArraySlice<UInt8>) -> String? {
        guard !bytes.isEmpty else { return "text/plain" }
        let parts = bytes.split(separator: Ascii.slash, omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isTokenByte) }) else {
            return nil
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// In lower case; RFC 9110, section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    }

    /// The longest head that is read: more than any type and its parameters have.
    private static let mostHeadBytes = 256
}
