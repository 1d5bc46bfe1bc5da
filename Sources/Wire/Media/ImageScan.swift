/// The scan that finds the images of a request.
///
/// Steps into every container below the conversation, since a tool's result may nest its parts as it likes.
/// An object is judged when it has been read, as its type may stand behind what it holds.
struct ImageScan {
    /// How a family of dialects writes images.
    struct Shape {
        /// The members that hold the conversation.
        var contents: [StaticString]
        /// The members of a part that hold an image.
        var payloads: Set<ImageMember>
        var filler: CarriedImage.Filler

        /// - Returns: nil of a dialect whose requests carry no images in JSON parts.
        init?(_ dialect: Dialect) {
            switch dialect {
            // LiteLLM takes Anthropic's blocks in chats as well.
            case .openAIChat:
                (contents, payloads, filler) = (["messages"], [.imageURL, .source], .text)
            case .responses:
                (contents, payloads, filler) = (["input"], [.imageURL], .inputText)
            case .anthropicMessages:
                (contents, payloads, filler) = (["messages", "system"], [.source], .text)
            case .gemini:
                contents = ["contents", "systemInstruction", "system_instruction"]
                (payloads, filler) = ([.inlineData, .fileData], .geminiText)
            case .completions, .embeddings, .images, .other: return nil
            }
        }
    }

    let document: UnsafeRawBufferPointer
    let shape: Shape
    private var json: JSONScanner
    private var found = CarriedImages()
    /// What the open objects hold, the outermost first; those behind the innermost are kept to be used again,
    /// since making one anew for every object costs more than reading it.
    private var parts: [ImagePart] = []
    /// The position of the innermost open object.
    private var level = -1

    init?(_ document: UnsafeRawBufferPointer, _ shape: Shape) {
        guard let json = JSONScanner(document) else { return nil }
        self.document = document
        self.shape = shape
        self.json = json
    }

    consuming func run() -> CarriedImages? {
        guard json.enterObject() else { return nil }
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            if shape.contents.contains(where: { isKey(key, $0) }) {
                readValue(shape.filler)
            } else {
                json.skipValue()
            }
        }
        return json.isAtEnd() ? found : nil
    }

    func isKey(_ key: JSONText, _ name: StaticString) -> Bool {
        key.isEqual(to: name, in: document)
    }

    private mutating func readValue(_ filler: CarriedImage.Filler) {
        switch json.next {
        case Ascii.openBrace: readObject(filler)
        case Ascii.openBracket: readArray(filler)
        default: json.skipValue()
        }
    }

    private mutating func skip() {
        json.skipValue()
    }

    private mutating func readArray(_ filler: CarriedImage.Filler) {
        guard json.enterArray() else { return }
        var previousEnd: Int?
        /// The position of the image that the previous element was.
        var previousImage: Int?
        var isFirst = true
        while json.nextElement(&isFirst) {
            let start = json.position
            if let previousImage { found.images[previousImage].place?.nextStart = start }
            readValue(filler)
            previousImage = nil
            if let last = found.images.indices.last, found.images[last].part == start..<json.position {
                found.images[last].place = .init(previousEnd: previousEnd)
                previousImage = last
            }
            previousEnd = json.position
        }
    }

    private mutating func readObject(_ filler: CarriedImage.Filler) {
        let start = json.position
        guard json.enterObject() else { return }
        level += 1
        if level == parts.count { parts.append(ImagePart()) } else { parts[level].reset() }
        let before = found.images.count
        var isFirst = true
        while let key = json.nextKey(&isFirst) { readMember(key, filler) }
        if parts[level].payload != nil {
            if found.images.count > before { parts[level].isAmbiguous = true }
            add(parts[level], start..<json.position, filler)
        }
        level -= 1
    }

    private mutating func add(_ part: ImagePart, _ range: Range<Int>, _ filler: CarriedImage.Filler) {
        switch judge(part) {
        case .noImage: break
        case .unclear: found.unclear += 1
        case .image(let content, let slot):
            found.images.append(.init(content: content, slot: slot, part: range, filler: filler))
        }
    }

    private mutating func readMember(_ key: JSONText, _ filler: CarriedImage.Filler) {
        guard let member = ImageMember(key, in: document) else {
            let isContainer = json.next == Ascii.openBrace || json.next == Ascii.openBracket
            guard isContainer, !OpaqueMembers.areIn(request: key, document) else { return skip() }
            return readValue(self.filler(below: key, filler))
        }
        parts[level].strings.meet(member)
        if member.isPayload {
            readPayload(member, key, filler)
        } else if json.next == Ascii.quote, let text = json.text() {
            parts[level].strings.set(member, key, text)
        } else {
            readValue(filler)
        }
    }

    /// The assistant's `images` and the parts of a Gemini function's response hold nothing but images.
    private func filler(below key: JSONText, _ filler: CarriedImage.Filler) -> CarriedImage.Filler {
        isKey(key, "images") || isKey(key, "functionResponse") || isKey(key, "function_response")
            ? .nothing : filler
    }

    private mutating func readPayload(_ member: ImageMember, _ key: JSONText, _ filler: CarriedImage.Filler) {
        let start = json.position
        let isFirst = parts[level].payload == nil
        var payload = ImagePayload(member: member, key: key, value: start..<start)
        switch json.next {
        case Ascii.quote:
            payload.text = json.text()
        case Ascii.openBrace:
            readObject(filler)
            // Where the object stood that has been left just now.
            if level + 1 < parts.count { payload.strings = parts[level + 1].strings }
        default:
            readValue(filler)
            return
        }
        payload.value = start..<json.position
        parts[level].payload = payload
        if !isFirst { parts[level].isAmbiguous = true }
    }
}

/// What an object holds that may be an image, until its end shows what it is.
struct ImagePart {
    var strings = ImageStrings()
    var payload: ImagePayload?
    /// Whether there are two payloads, or images within this one.
    var isAmbiguous = false

    /// Starts anew with another object.
    mutating func reset() {
        strings.reset()
        payload = nil
        isAmbiguous = false
    }
}
