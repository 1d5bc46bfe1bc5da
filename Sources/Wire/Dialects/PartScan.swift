extension ConversationScan {
    /// Reads an array of content parts, each a string or an object.
    mutating func readContentParts() {
        guard json.enterArray() else { return }
        var isFirst = true
        while json.nextElement(&isFirst) {
            switch json.next {
            case Ascii.openBrace: readContentPart()
            case Ascii.quote: if let text = json.text() { add(.text, text, object: text.quotedRange) }
            default:
                isUnderstood = false
                return
            }
        }
    }

    private mutating func readContentPart() {
        let start = json.position
        guard json.enterObject() else { return }
        var fields = PartFields()
        var isFirst = true
        while let key = json.nextKey(&isFirst) { readPartMember(key, &fields) }
        add(fields, object: start..<json.position)
    }

    private mutating func readPartMember(_ key: JSONText, _ fields: inout PartFields) {
        if isKey(key, "type") {
            fields.type = json.text()
        } else if isKey(key, "text") {
            fields.text = json.text()
        } else if PartFields.payloads.contains(where: { isKey(key, $0) }) {
            readPayload(&fields)
        } else if isKey(key, "refusal") {
            fields.refusal = json.text()
        } else if isKey(key, "thinking") {
            fields.thinking = json.text()
        } else {
            json.skipValue()
        }
    }

    /// Reads what an image, audio or file part carries; `image_url` may be the URL itself.
    private mutating func readPayload(_ fields: inout PartFields) {
        fields.payload = .init()
        guard json.next == Ascii.openBrace else {
            fields.payload.url = json.text()
            return
        }
        guard json.enterObject() else { return }
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            readPayloadMember(key, &fields.payload)
        }
    }

    private mutating func readPayloadMember(_ key: JSONText, _ payload: inout PartFields.Payload) {
        if isKey(key, "url") {
            payload.url = json.text()
        } else if isKey(key, "detail") {
            payload.detail = json.text()
        } else if isKey(key, "data") {
            payload.data = json.text()
        } else if isKey(key, "file_data") {
            payload.fileData = json.text()
        } else if isKey(key, "file_id") {
            payload.fileID = json.text()
        } else if isKey(key, "filename") {
            payload.fileName = json.text()
        } else {
            json.skipValue()
        }
    }

    /// Adds the parts that a content part stands for.
    ///
    /// Its `type` decides; a part without one is what its members say.
    private mutating func add(_ fields: PartFields, object: Range<Int>) {
        let before = found.parts.count
        let kind = fields.type.flatMap { type in
            PartFields.types.first { isKey(type, $0.name) }?.kind
        }
        switch kind ?? (fields.type == nil ? fields.likelyKind : .unknown) {
        case .text: add(.text, fields.text, object)
        case .refusal: add(.refusal, fields.refusal, object)
        case .thinking: add(.thinking, fields.thinking, object)
        case .image:
            add(.imageURL(detail: detail(fields.payload.detail)), fields.payload.url, object)
            add(.imageData, fields.payload.data, object)
        case .audio: add(.audioData, fields.payload.data, object)
        case .file:
            add(.fileData, fields.payload.fileData, object)
            add(.fileID, fields.payload.fileID, object)
            add(.fileName, fields.payload.fileName, object)
        case .unknown: break
        }
        guard found.parts.count == before else { return }
        add(.other, JSONText(range: object, hasEscapes: false), object: object, isRaw: true)
    }

    private mutating func add(_ kind: Conversation.Part.Kind, _ text: JSONText?, _ object: Range<Int>) {
        if let text { add(kind, text, object: object) }
    }

    private func detail(_ text: JSONText?) -> Conversation.ImageDetail {
        text.flatMap { Conversation.ImageDetail(rawValue: $0.string(in: document)) } ?? .none
    }
}

/// What a content part holds, until its end shows what it is.
private struct PartFields {
    enum Kind {
        case text, refusal, thinking, image, audio, file, unknown
    }

    struct Payload {
        var url: JSONText?
        var detail: JSONText?
        var data: JSONText?
        var fileData: JSONText?
        var fileID: JSONText?
        var fileName: JSONText?
    }

    var type: JSONText?
    var text: JSONText?
    var refusal: JSONText?
    var thinking: JSONText?
    var payload = Payload()

    var likelyKind: Kind {
        if text != nil { return .text }
        return payload.url == nil ? .unknown : .image
    }

    /// OpenAI's chat types, their names in the Responses API, and Anthropic's, which LiteLLM takes as well.
    static let types: [(name: StaticString, kind: Kind)] = [
        ("text", .text),
        ("image_url", .image),
        ("input_text", .text),
        ("output_text", .text),
        ("input_image", .image),
        ("image", .image),
        ("input_audio", .audio),
        ("file", .file),
        ("refusal", .refusal),
        ("thinking", .thinking),
    ]

    static let payloads: [StaticString] = ["image_url", "input_audio", "file", "source"]
}
