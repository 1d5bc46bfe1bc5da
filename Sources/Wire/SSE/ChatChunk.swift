/// What one event of a streamed chat adds to the answer, as spans of its JSON.
///
/// The shape is OpenAI's `chat.completion.chunk`. What a delta holds beside text and reasoning (tool calls, images,
/// audio, a refusal, whatever is not known yet) is only told to be there.
struct ChatChunk {
    /// The answer's name, as it is written.
    private(set) var id: Range<Int>?
    /// The text that the event adds; nil when there is none, or an empty one.
    private(set) var content: JSONText?
    /// Values that hold what the model thinks.
    private(set) var reasoning: [Range<Int>] = []
    private(set) var hasRole = false
    private(set) var hasOtherOutput = false
    private(set) var hasFinish = false
    private(set) var hasUsage = false
    private(set) var hasError = false

    private let event: UnsafeRawBufferPointer

    /// Scans the payload of a `data` line.
    ///
    /// - Returns: nil when it is not one JSON object.
    init?(_ event: UnsafeRawBufferPointer) {
        self.event = event
        guard var json = JSONScanner(event), json.enterObject() else { return nil }
        var isFirst = true
        while let key = json.nextKey(&isFirst) { readMember(key, &json) }
        guard json.isAtEnd() else { return nil }
    }

    private mutating func readMember(_ key: JSONText, _ json: inout JSONScanner) {
        if isKey(key, "id") {
            id = json.skipValue()
        } else if isKey(key, "choices") {
            readChoices(&json)
        } else if isKey(key, "usage") {
            if json.skipFilled() { hasUsage = true }
        } else if isKey(key, "error") {
            if json.skipFilled() { hasError = true }
        } else {
            json.skipValue()
        }
    }

    private mutating func readChoices(_ json: inout JSONScanner) {
        guard json.enterArray() else { return }
        var isFirst = true
        var count = 0
        while json.nextElement(&isFirst) {
            count += 1
            readChoice(&json)
        }
        // Several answers at once cannot be told apart here.
        if count > 1 { hasOtherOutput = true }
    }

    private mutating func readChoice(_ json: inout JSONScanner) {
        guard json.enterObject() else { return }
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            if isKey(key, "delta") {
                readDelta(&json)
            } else if isKey(key, "finish_reason") {
                if json.skipFilled() { hasFinish = true }
            } else if isKey(key, "index") {
                let index = json.skipValue()
                if !event[index].elementsEqual("0".utf8) { hasOtherOutput = true }
            } else {
                json.skipValue()
            }
        }
    }

    private mutating func readDelta(_ json: inout JSONScanner) {
        guard json.next == Ascii.openBrace, json.enterObject() else {
            if json.skipFilled() { hasOtherOutput = true }
            return
        }
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            if isKey(key, "content"), json.next == Ascii.quote {
                content = json.text().flatMap { $0.range.isEmpty ? nil : $0 }
            } else {
                readPart(key, &json)
            }
        }
    }

    private mutating func readPart(_ key: JSONText, _ json: inout JSONScanner) {
        let start = json.position
        guard json.skipFilled() else { return }
        if isKey(key, "role") {
            hasRole = true
        } else if Self.thoughts.contains(where: { isKey(key, $0) }) {
            reasoning.append(start..<json.position)
        } else if !Self.descriptions.contains(where: { isKey(key, $0) }) {
            hasOtherOutput = true
        }
    }

    private static let thoughts: [StaticString] = ["reasoning_content", "reasoning", "thinking_blocks"]
    private static let descriptions: [StaticString] = ["type", "index", "provider_specific_fields"]

    @inline(__always)
    private func isKey(_ key: JSONText, _ name: StaticString) -> Bool {
        key.isEqual(to: name, in: event)
    }
}
