/// The members by which an object of any dialect shows that it is an image.
enum ImageMember: UInt8 {
    case type, url, data, mediaType, mimeType, fileURI
    case imageURL, source, inlineData, fileData

    /// Both spellings of Google's JSON: <https://protobuf.dev/programming-guides/json/>.
    private static let names: [(name: StaticString, member: ImageMember)] = [
        ("type", .type), ("url", .url), ("data", .data), ("source", .source), ("image_url", .imageURL),
        ("media_type", .mediaType),
        ("inlineData", .inlineData), ("inline_data", .inlineData),
        ("mimeType", .mimeType), ("mime_type", .mimeType),
        ("fileData", .fileData), ("file_data", .fileData),
        ("fileUri", .fileURI), ("file_uri", .fileURI),
    ]

    @inline(__always)
    init?(_ key: JSONText, in document: UnsafeRawBufferPointer) {
        guard key.hasEscapes || Self.mayBegin(with: document[key.range.lowerBound]),
            let row = Self.names.first(where: { key.isEqual(to: $0.name, in: document) })
        else { return nil }
        self = row.member
    }

    /// Rules out most other keys, such as `role` and `content`.
    @inline(__always)
    private static func mayBegin(with byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "t"), UInt8(ascii: "u"), UInt8(ascii: "d"), UInt8(ascii: "s"), UInt8(ascii: "i"),
            UInt8(ascii: "m"), UInt8(ascii: "f"):
            true
        default: false
        }
    }

    fileprivate var bit: UInt16 { 1 << UInt16(rawValue) }

    /// Whether the member holds the image, and not what is said about it.
    var isPayload: Bool {
        switch self {
        case .imageURL, .source, .inlineData, .fileData: true
        case .type, .url, .data, .mediaType, .mimeType, .fileURI: false
        }
    }
}

/// What an object says in those of its members that are strings.
struct ImageStrings {
    /// A member whose value is a string.
    struct Entry {
        var key: JSONText
        var value: JSONText
        /// From the key to the value, both with their quotes.
        var range: Range<Int> { key.quotedRange.lowerBound..<value.quotedRange.upperBound }

        static let none = Entry(
            key: JSONText(range: 0..<0, hasEscapes: false),
            value: JSONText(range: 0..<0, hasEscapes: false)
        )
    }

    var type: Entry? { entry(.type, lastType) }
    var url: Entry? { entry(.url, lastURL) }
    var data: Entry? { entry(.data, lastData) }
    var mediaType: Entry? { entry(.mediaType, lastMediaType) }
    var mimeType: Entry? { entry(.mimeType, lastMimeType) }
    var fileURI: Entry? { entry(.fileURI, lastFileURI) }
    /// Whether one of the members came twice, so that readers may differ about what counts.
    private(set) var isAmbiguous = false

    // What a bit does not vouch for is left over from another object: so starting anew costs next to nothing.
    private var met: UInt16 = 0
    private var set: UInt16 = 0
    private var lastType = Entry.none
    private var lastURL = Entry.none
    private var lastData = Entry.none
    private var lastMediaType = Entry.none
    private var lastMimeType = Entry.none
    private var lastFileURI = Entry.none

    /// Starts anew with another object.
    mutating func reset() {
        (met, set, isAmbiguous) = (0, 0, false)
    }

    /// Notes that a member came, whatever its value is.
    mutating func meet(_ member: ImageMember) {
        if met & member.bit != 0 { isAmbiguous = true }
        met |= member.bit
    }

    mutating func set(_ member: ImageMember, _ key: JSONText, _ value: JSONText) {
        set |= member.bit
        let entry = Entry(key: key, value: value)
        switch member {
        case .type: lastType = entry
        case .url: lastURL = entry
        case .data: lastData = entry
        case .mediaType: lastMediaType = entry
        case .mimeType: lastMimeType = entry
        case .fileURI: lastFileURI = entry
        case .imageURL, .source, .inlineData, .fileData: break
        }
    }

    private func entry(_ member: ImageMember, _ last: Entry) -> Entry? {
        set & member.bit != 0 ? last : nil
    }
}

/// The value of a member that holds an image.
struct ImagePayload {
    var member: ImageMember
    var key: JSONText
    /// The whole value.
    var value: Range<Int>
    /// The value, when it is a string.
    var text: JSONText?
    /// The members of the value, when it is an object.
    var strings = ImageStrings()
}

/// Members that hold what a model or a tool made up: nothing in them is an image of the conversation,
/// whatever it looks like.
///
/// Arguments of calls in all dialects, and the `response` of Gemini's functions.
enum OpaqueMembers {
    private static let ofRequests: [StaticString] = [
        "tool_calls", "function_call", "functionCall", "arguments", "args", "input", "response", "action",
    ]

    /// `response` is not among them: the Responses API sends its answer under that name.
    private static let ofAnswers: [StaticString] = [
        "tool_calls", "function_call", "functionCall", "arguments", "args", "input", "partial_json", "action",
    ]

    static func areIn(request key: JSONText, _ document: UnsafeRawBufferPointer) -> Bool {
        ofRequests.contains { key.isEqual(to: $0, in: document) }
    }

    static func areIn(answer key: JSONText, _ document: UnsafeRawBufferPointer) -> Bool {
        ofAnswers.contains { key.isEqual(to: $0, in: document) }
    }
}
