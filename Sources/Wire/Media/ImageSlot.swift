/// Where an image stands in a document, and with that how another form of it is written there.
enum ImageSlot: Equatable, Sendable {
    /// The contents of a string, or a stretch of them, that is an address or a data URL.
    case text(Range<Int>)
    /// The `source` object of Anthropic's image blocks, and the address in it.
    ///
    /// Its type decides which members may stand beside it, so an object of the other type is written anew.
    case source(Range<Int>, address: JSONText?)
    /// `inlineData` or `fileData` of Gemini.
    case blob(GeminiBlob)
}

/// A member of a Gemini part that holds an image.
struct GeminiBlob: Equatable, Sendable {
    /// The key, with its quotes: `inlineData` or `fileData`.
    var key: Range<Int>
    /// Whether it is `inlineData`.
    var isInline: Bool
    /// Whether the key is written as `inline_data` or `file_data`.
    var isSnakeCase: Bool
    /// `data` or `fileUri`, from the key to the value.
    var datum: Range<Int>
    /// Its value.
    var value: JSONText
    /// The declared type.
    var mimeType: JSONText
    /// Whether the keys inside are written with underscores.
    var hasSnakeCaseMembers: Bool
}

extension GeminiBlob {
    /// Reads the object of `inlineData` or `fileData`.
    ///
    /// - Returns: nil when it does not hold what it should and only that, or is declared to be no image: sound,
    ///   films and documents are sent the same way.
    init?(_ payload: ImagePayload, in document: UnsafeRawBufferPointer) {
        isInline = payload.member == .inlineData
        let (data, uri) = (payload.strings.data, payload.strings.fileURI)
        guard (data == nil) != (uri == nil), let datum = isInline ? data : uri,
            let type = payload.strings.mimeType, type.value.hasPrefix("image/", in: document)
        else { return nil }
        key = payload.key.quotedRange
        isSnakeCase = document[key].contains(UInt8(ascii: "_"))
        self.datum = datum.range
        value = datum.value
        mimeType = type.value
        hasSnakeCaseMembers = document[type.key.range].contains(UInt8(ascii: "_"))
    }
}

extension ImageSlot {
    func frame(for form: ImageForm) -> ImageFrame {
        switch self {
        case .text(let range): Self.textFrame(range, form)
        case .source(let object, let address): Self.sourceFrame(object, address, form)
        case .blob(let blob): blob.frame(for: form)
        }
    }

    private static func textFrame(_ range: Range<Int>, _ form: ImageForm) -> ImageFrame {
        switch form {
        case .address: ImageFrame(range: range)
        case .base64(let type): ImageFrame(range: range, prefix: utf8("data:", escaped(type), ";base64,"))
        }
    }

    private static func sourceFrame(
        _ object: Range<Int>,
        _ address: JSONText?,
        _ form: ImageForm
    ) -> ImageFrame {
        switch form {
        case .address:
            if let address { return ImageFrame(range: address.range) }
            return ImageFrame(range: object, prefix: utf8(#"{"type":"url","url":""#), suffix: utf8(#""}"#))
        case .base64(let type):
            let start = utf8(#"{"type":"base64","media_type":""#, escaped(type), #"","data":""#)
            return ImageFrame(range: object, prefix: start, suffix: utf8(#""}"#))
        }
    }
}

extension GeminiBlob {
    /// The key, the datum and the type are changed each for itself, so that what else is said of the image
    /// stays.
    fileprivate func frame(for form: ImageForm) -> ImageFrame {
        switch form {
        case .address where !isInline: return ImageFrame(range: value.range)
        case .address:
            let name = hasSnakeCaseMembers ? "file_uri" : "fileUri"
            return renamed(isSnakeCase ? "file_data" : "fileData", name)
        case .base64(let type):
            var frame =
                isInline
                ? ImageFrame(range: value.range) : renamed(isSnakeCase ? "inline_data" : "inlineData", "data")
            frame.others.append(Splice(mimeType.quotedRange, with: quotedJSON(type)))
            return frame
        }
    }

    private func renamed(_ key: String, _ name: String) -> ImageFrame {
        ImageFrame(
            range: datum,
            prefix: utf8("\"", name, "\":\""),
            suffix: utf8("\""),
            others: [Splice(self.key, with: quotedJSON(key))]
        )
    }
}
