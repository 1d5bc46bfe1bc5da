/// The scan that finds the images of an answer: walks through all of it.
struct AnswerScan {
    private let document: UnsafeRawBufferPointer
    private let isEvent: Bool
    private var json: JSONScanner
    private var images: [AnswerImage] = []

    /// - Parameter isEvent: whether texts may be pieces of longer ones.
    init?(_ document: UnsafeRawBufferPointer, from start: Int, isEvent: Bool) {
        guard let json = JSONScanner(document, from: start) else { return nil }
        self.document = document
        self.isEvent = isEvent
        self.json = json
    }

    /// - Returns: nothing when the document is malformed.
    consuming func run() -> [AnswerImage] {
        readValue(mayBeWhole: !isEvent)
        guard json.isAtEnd() else { return [] }
        // What an object is shows at its end, behind what its strings hold.
        return images.sorted { $0.start < $1.start }
    }

    /// - Parameter mayBeWhole: whether a string that is a data URL is known to be all of it.
    private mutating func readValue(mayBeWhole: Bool) {
        switch json.next {
        case Ascii.openBrace: readObject()
        case Ascii.openBracket:
            guard json.enterArray() else { return }
            var isFirst = true
            while json.nextElement(&isFirst) { readValue(mayBeWhole: mayBeWhole) }
        case Ascii.quote: if let text = json.text() { readText(text, mayBeWhole) }
        default: json.skipValue()
        }
    }

    @discardableResult
    private mutating func readObject() -> ImageStrings {
        var object = AnswerObject()
        guard json.enterObject() else { return object.strings }
        var isFirst = true
        while let key = json.nextKey(&isFirst) { readMember(key, &object) }
        if let image = object.image(in: document) { images.append(image) }
        return object.strings
    }

    private mutating func readMember(_ key: JSONText, _ object: inout AnswerObject) {
        if OpaqueMembers.areIn(answer: key, document) {
            json.skipValue()
        } else if let member = ImageMember(key, in: document) {
            object.strings.meet(member)
            readMember(member, key, &object)
        } else if json.next == Ascii.quote, isBase64(key), let text = json.text() {
            object.meetBase64(key, text, in: document)
        } else {
            let isPiece = isEvent && Self.pieces.contains { key.isEqual(to: $0, in: document) }
            readValue(mayBeWhole: !isPiece)
        }
    }

    private func isBase64(_ key: JSONText) -> Bool {
        key.isEqual(to: "b64_json", in: document) || key.isEqual(to: "result", in: document)
    }

    /// The members whose strings come in pieces while an answer is streamed.
    private static let pieces: [StaticString] = [
        "content", "text", "delta", "reasoning_content", "reasoning", "thinking", "refusal",
    ]

    private mutating func readMember(
        _ member: ImageMember,
        _ key: JSONText,
        _ object: inout AnswerObject
    ) {
        let start = json.position
        let before = images.count
        var payload = ImagePayload(member: member, key: key, value: start..<start)
        if json.next == Ascii.quote, let text = json.text() {
            object.strings.set(member, key, text)
            readText(text, true)
        } else if json.next == Ascii.openBrace {
            payload.strings = readObject()
        } else {
            readValue(mayBeWhole: true)
        }
        payload.value = start..<json.position
        if member == .url { object.meetURL(payload.value, in: document) }
        guard member == .source || member == .inlineData else { return }
        object.meet(payload)
        if images.count > before { object.isAmbiguous = true }
    }

    private mutating func readText(_ text: JSONText, _ mayBeWhole: Bool) {
        var search = AnswerText(text, mayBeWhole, document)
        while let image = search.next() { images.append(image) }
    }
}

extension AnswerImage {
    /// An offset by which images are in the order in which they stand.
    fileprivate var start: Int {
        content.base64?.range.lowerBound ?? 0
    }
}
