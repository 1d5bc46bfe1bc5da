/// What an object of an answer holds that may be an image, until its end shows what it is.
struct AnswerObject {
    var strings = ImageStrings()
    /// Whether two payloads were met, or images within one.
    var isAmbiguous = false
    /// Where the value of `url` lies, and whether it says nothing.
    private var url: (value: Range<Int>, isEmpty: Bool)?
    private var payload: ImagePayload?
    /// `b64_json` or `result`.
    private var base64: (member: Range<Int>, value: JSONText, isResult: Bool)?

    mutating func meet(_ payload: ImagePayload) {
        if self.payload != nil { isAmbiguous = true }
        self.payload = payload
    }

    mutating func meetURL(_ value: Range<Int>, in document: UnsafeRawBufferPointer) {
        let isEmpty = document[value].elementsEqual("null".utf8) || document[value].elementsEqual("\"\"".utf8)
        url = (value, isEmpty)
    }

    mutating func meetBase64(_ key: JSONText, _ value: JSONText, in document: UnsafeRawBufferPointer) {
        if base64 != nil { isAmbiguous = true }
        let member = key.quotedRange.lowerBound..<value.quotedRange.upperBound
        base64 = (member, value, key.isEqual(to: "result", in: document))
    }

    /// - Returns: nil when the object is no image, or is one in a way that readers may differ about.
    func image(in document: UnsafeRawBufferPointer) -> AnswerImage? {
        guard !isAmbiguous, !strings.isAmbiguous, payload?.strings.isAmbiguous != true else { return nil }
        if let base64 { return generated(base64.member, base64.value, base64.isResult, document) }
        guard let payload, let data = payload.strings.data else { return nil }
        switch payload.member {
        case .inlineData: return blob(payload, data, document)
        case .source: return source(payload, data.value, document)
        default: return nil
        }
    }

    private func generated(
        _ member: Range<Int>,
        _ value: JSONText,
        _ isResult: Bool,
        _ document: UnsafeRawBufferPointer
    ) -> AnswerImage? {
        // A client that asked for Base64 is to judge a data URL in its place.
        guard !value.range.isEmpty, !value.hasPrefix("data:", in: document) else { return nil }
        let content = ImageContent.base64(value, mediaType: nil)
        guard isResult else {
            guard url?.isEmpty != false else { return nil }
            let slot = AnswerSlot.b64JSON(member, value: value, url: url?.value)
            return AnswerImage(kind: .b64JSON, content: content, slot: slot)
        }
        guard isString(strings.type, "image_generation_call", document) else { return nil }
        return AnswerImage(kind: .result, content: content, slot: .result)
    }

    private func blob(
        _ payload: ImagePayload,
        _ data: ImageStrings.Entry,
        _ document: UnsafeRawBufferPointer
    ) -> AnswerImage? {
        guard let blob = GeminiBlob(payload, in: document) else { return nil }
        let type = blob.mimeType.string(in: document)
        return AnswerImage(
            kind: .inlineData,
            content: .base64(data.value, mediaType: type),
            slot: .shared(.blob(blob))
        )
    }

    private func source(
        _ payload: ImagePayload,
        _ data: JSONText,
        _ document: UnsafeRawBufferPointer
    ) -> AnswerImage? {
        guard isString(strings.type, "image", document), isString(payload.strings.type, "base64", document)
        else { return nil }
        let type = payload.strings.mediaType?.value.string(in: document)
        return AnswerImage(
            kind: .source,
            content: .base64(data, mediaType: type),
            slot: .shared(.source(payload.value, address: nil))
        )
    }

    private func isString(
        _ entry: ImageStrings.Entry?,
        _ text: StaticString,
        _ document: UnsafeRawBufferPointer
    ) -> Bool {
        entry?.value.isEqual(to: text, in: document) == true
    }
}
