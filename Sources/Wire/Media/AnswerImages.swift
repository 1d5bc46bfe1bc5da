/// An image in the answer of a model.
public struct AnswerImage: Equatable, Sendable {
    /// The form in which it stands there.
    public enum Kind: Equatable, Sendable {
        /// A string that is a data URL: `message.images`, `delta.images`, `url` of an images answer.
        case dataURL
        /// A data URL in the Markdown of a text: `![name](data:image/png;base64,…)`.
        case markdown
        /// `b64_json` of an answer or event of OpenAI's images API.
        case b64JSON
        /// `inlineData` of Gemini.
        case inlineData
        /// The `source` of an image block of Anthropic's.
        case source
        /// The `result` of an image generation call in the Responses API, which cannot be an address.
        case result
    }

    public var kind: Kind
    public var content: ImageContent
    /// Where it stands.
    var slot: AnswerSlot

    /// Whether a piece of an answer holds a text without which it holds no data URL, `b64_json` or
    /// `inlineData`.
    ///
    /// An answer whose pieces all hold none need not be looked at. Of pieces that follow each other the last
    /// eleven bytes are to be looked at again. Escapes within these texts, which no known writer makes, hide
    /// them; so an image spelled that way passes as it is. The other kinds are found beside one of these
    /// only.
    ///
    /// - Complexity: O(*n*), about 0.1 ns a byte.
    public static func mayBe(in bytes: UnsafeRawBufferPointer) -> Bool {
        ImageMarker.first(in: bytes, from: 0, to: bytes.count) != nil
    }

    /// Finds the images of a complete answer.
    ///
    /// Never in the arguments of calls.
    ///
    /// - Returns: in document order; nothing when the answer is not JSON.
    /// - Complexity: O(*n*).
    public static func images(inAnswer body: UnsafeRawBufferPointer) -> [AnswerImage] {
        guard mayBe(in: body) else { return [] }
        return AnswerScan(body, from: 0, isEvent: false)?.run() ?? []
    }

    /// Finds the images of one event of a streamed answer, or of several.
    ///
    /// A piece of a text that is a data URL as a whole may be the start of a longer one, so it is passed
    /// over.
    ///
    /// - Parameter event: whole lines; of each `data` line the payload is read for itself.
    /// - Returns: in document order, with offsets in `event`.
    /// - Complexity: O(*n*).
    public static func images(inEvent event: UnsafeRawBufferPointer) -> [AnswerImage] {
        guard let base = event.baseAddress, mayBe(in: event) else { return [] }
        var images: [AnswerImage] = []
        var start = 0
        while start < event.count {
            let end = firstLineBreak(base, from: start, to: event.count)
            let line = UnsafeRawBufferPointer(rebasing: event[..<end])
            if line[start...].starts(with: "data:".utf8) {
                images += AnswerScan(line, from: start + 5, isEvent: true)?.run() ?? []
            }
            start = end + 1
        }
        return images
    }

    /// The edits that put an address where the image stands.
    ///
    /// `b64_json` becomes `url`; `inlineData` becomes `fileData`.
    ///
    /// - Parameter address: not yet quoted.
    /// - Returns: nothing for a ``Kind/result``.
    public func replaced(byAddress address: String) -> [Splice] {
        slot.addressFrame?.splices(address: address) ?? []
    }
}
