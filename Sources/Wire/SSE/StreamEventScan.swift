/// The scan of one event of a streamed answer.
struct StreamEventScan {
    /// Whether the event adds to the answer.
    private(set) var hasOutput = false
    private(set) var hasFinish = false
    private(set) var hasError = false
    /// Whether nothing follows this event.
    private(set) var isEnd = false
    /// Where the event states what was used; read only once the whole event has proved well formed.
    private(set) var usage: Range<Int>?

    private let event: UnsafeRawBufferPointer
    private var json: JSONScanner

    init?(_ event: UnsafeRawBufferPointer) {
        guard let json = JSONScanner(event) else { return nil }
        self.event = event
        self.json = json
    }

    /// - Returns: whether the event is a JSON object; if not, nothing that was found counts.
    mutating func run() -> Bool {
        guard json.enterObject() else { return false }
        var isFirst = true
        while let key = json.nextKey(&isFirst) { readMember(key) }
        return json.isAtEnd()
    }

    private mutating func readMember(_ key: JSONText) {
        if isKey(key, "choices") || isKey(key, "candidates") {
            readChoices()
        } else if isKey(key, "usage") || isKey(key, "usageMetadata") {
            usage = skipObject() ?? usage
        } else if isKey(key, "error") {
            if json.skipFilled() { hasError = true }
        } else if isKey(key, "type") {
            readType()
        } else if isKey(key, "delta") {
            readDelta()
        } else if isKey(key, "message") || isKey(key, "response") {
            readEnvelope()
        } else {
            json.skipValue()
        }
    }

    /// `choices` of OpenAI, `candidates` of Gemini.
    private mutating func readChoices() {
        guard json.enterArray() else { return }
        var isFirst = true
        while json.nextElement(&isFirst) { readChoice() }
    }

    private mutating func readChoice() {
        guard json.enterObject() else { return }
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            if isKey(key, "delta") {
                readDelta()
            } else if isKey(key, "finish_reason") || isKey(key, "finishReason") {
                if json.skipFilled() { hasFinish = true }
            } else if isKey(key, "text") {
                if json.skipFilled() { hasOutput = true }
            } else if isKey(key, "content") {
                readGeminiContent()
            } else {
                json.skipValue()
            }
        }
    }

    /// A delta is output when any member is filled that does not merely describe it.
    ///
    /// So a kind of output that is not known yet counts too. Anthropic's final delta holds the stop reason.
    private mutating func readDelta() {
        guard json.next == Ascii.openBrace else {
            if json.skipFilled() { hasOutput = true }
            return
        }
        guard json.enterObject() else { return }
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            let isFilled = json.skipFilled()
            guard isFilled, !Self.descriptions.contains(where: { isKey(key, $0) }) else { continue }
            if isKey(key, "stop_reason") { hasFinish = true } else { hasOutput = true }
        }
    }

    private static let descriptions: [StaticString] = [
        "role", "type", "index", "stop_sequence", "provider_specific_fields",
    ]

    private mutating func readGeminiContent() {
        guard json.enterObject() else { return }
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            if isKey(key, "parts") { readGeminiParts() } else { json.skipValue() }
        }
    }

    private mutating func readGeminiParts() {
        guard json.enterArray() else { return }
        var isFirstPart = true
        while json.nextElement(&isFirstPart) {
            guard json.enterObject() else { continue }
            var isFirst = true
            while let key = json.nextKey(&isFirst) {
                let isFilled = json.skipFilled()
                if isFilled, !isKey(key, "thought"), !isKey(key, "thoughtSignature") { hasOutput = true }
            }
        }
    }

    /// The types of Anthropic's events and of the Responses API's.
    private mutating func readType() {
        guard let type = json.text() else { return }
        switch type.range.count {
        case 5 where isKey(type, "error"):
            hasError = true
        case 12 where isKey(type, "message_stop"):
            isEnd = true
        case 18 where isKey(type, "response.completed"), 19 where isKey(type, "response.incomplete"):
            isEnd = true
            hasFinish = true
        case 15 where isKey(type, "response.failed"):
            isEnd = true
            hasError = true
        default: break
        }
    }

    /// `message` of Anthropic's first event, `response` of the Responses API's first and last.
    private mutating func readEnvelope() {
        guard json.enterObject() else { return }
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            if isKey(key, "usage") {
                usage = skipObject() ?? usage
            } else if isKey(key, "error") {
                if json.skipFilled() { hasError = true }
            } else {
                json.skipValue()
            }
        }
    }

    private mutating func skipObject() -> Range<Int>? {
        let isObject = json.next == Ascii.openBrace
        let range = json.skipValue()
        return isObject ? range : nil
    }

    @inline(__always)
    private func isKey(_ key: JSONText, _ name: StaticString) -> Bool {
        key.isEqual(to: name, in: event)
    }
}
