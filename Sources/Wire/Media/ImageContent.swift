/// What a document holds of an image.
public enum ImageContent: Equatable, Sendable {
    case dataURL(DataURL)
    /// Base64 without a data URL around it; the type is the one beside it, as it is spelled.
    case base64(JSONText, mediaType: String?)
    /// Where it can be fetched, in whatever scheme; the type is the one beside it.
    case address(JSONText, mediaType: String?)

    /// The Base64; nil of an address.
    public var base64: JSONText? {
        switch self {
        case .dataURL(let url): url.base64
        case .base64(let text, _): text
        case .address: nil
        }
    }

    /// The address; nil of data.
    public var address: JSONText? {
        guard case .address(let text, _) = self else { return nil }
        return text
    }

    /// The type that the sender states, which need not be true.
    public var mediaType: String? {
        switch self {
        case .dataURL(let url): url.mediaType
        case .base64(_, let type), .address(_, let type): type
        }
    }

    /// What stands in a string that may be an address or a data URL.
    ///
    /// - Returns: nil of an empty string and of a data URL that is not Base64.
    static func read(
        _ text: JSONText,
        mediaType: String?,
        in document: UnsafeRawBufferPointer
    ) -> ImageContent? {
        guard !text.range.isEmpty else { return nil }
        do {
            return .dataURL(try DataURL(text, in: document))
        } catch {
            return error == .notDataURL ? .address(text, mediaType: mediaType) : nil
        }
    }
}

/// An image in the body of a request.
public struct CarriedImage: Equatable, Sendable {
    public var content: ImageContent
    /// Where it stands.
    var slot: ImageSlot
    /// The content part that it is, with its braces.
    public var part: Range<Int>
    /// The array around the part, as far as it concerns the part; nil when the part is no element.
    var place: Place?
    /// What an array of such parts holds when none is left.
    var filler: Filler

    /// The neighbours of an element.
    struct Place: Equatable, Sendable {
        var previousEnd: Int?
        var nextStart: Int?
    }

    /// A text part that says that there was an image.
    enum Filler: Equatable, Sendable {
        /// In chats and in Anthropic's messages.
        case text
        /// In the Responses API.
        case inputText
        /// In Gemini's contents.
        case geminiText
        /// Nothing: an array of images may be empty.
        case nothing

        var json: StaticString {
            switch self {
            case .text: #"{"type":"text","text":"[image]"}"#
            case .inputText: #"{"type":"input_text","text":"[image]"}"#
            case .geminiText: #"{"text":"[image]"}"#
            case .nothing: ""
            }
        }
    }
}

/// The images that the body of a request carries.
///
/// Made of spans by one scan. Every method that takes `body` takes the bytes that were scanned.
public struct CarriedImages: Equatable, Sendable {
    /// In document order; no part of one lies in another.
    public internal(set) var images: [CarriedImage] = []
    /// How many things look like an image but cannot be judged, and so stay as they are.
    ///
    /// A member that counts comes twice, the type is unknown, or a data URL is not Base64.
    public internal(set) var unclear = 0

    init() {}

    /// Finds the images of a chat, a Responses, an Anthropic or a Gemini request.
    ///
    /// Looks only below the members that hold the conversation, at any depth, so in the results of tools too;
    /// never into the arguments of calls. Bodies of other dialects carry none and are not looked at.
    ///
    /// - Returns: nil when the body is not a JSON object or is nested deeper than 64 levels.
    /// - Complexity: O(*n*), about 1 GB/s in small members and 10 GB/s in long strings.
    public init?(scanning body: UnsafeRawBufferPointer, as dialect: Dialect) {
        self.init()
        guard let shape = ImageScan.Shape(dialect) else { return }
        guard let scan = ImageScan(body, shape), let found = scan.run() else { return nil }
        self = found
    }
}
