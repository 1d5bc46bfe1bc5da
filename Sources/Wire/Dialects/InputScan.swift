extension ConversationScan {
    /// Reads the prompts of a completion or the inputs of an embedding.
    ///
    /// Both are a text, an array of texts, an array of token ids, or an array of such arrays.
    mutating func readInputs() {
        switch json.next {
        case Ascii.quote: readTextInput()
        case Ascii.openBracket: readInputArray()
        case Ascii.lowerN: json.skipValue()
        default: isUnderstood = false
        }
    }

    private mutating func readTextInput() {
        guard let text = json.text() else { return }
        addInput(.text, text, text.quotedRange, isRaw: false)
    }

    private mutating func readInputArray() {
        let start = json.position
        guard json.enterArray() else { return }
        var tokens = 0
        var isFirst = true
        while isUnderstood, json.nextElement(&isFirst) {
            switch json.next {
            case Ascii.quote: readTextInput()
            case Ascii.openBracket: readTokens()
            default:
                tokens += 1
                readToken()
            }
        }
        if tokens > 0 { addTokens(tokens, start..<json.position) }
    }

    private mutating func readTokens() {
        let start = json.position
        guard json.enterArray() else { return }
        var tokens = 0
        var isFirst = true
        while isUnderstood, json.nextElement(&isFirst) {
            tokens += 1
            readToken()
        }
        addTokens(tokens, start..<json.position)
    }

    private mutating func readToken() {
        isUnderstood = json.next &- Ascii.zero <= 9
        json.skipValue()
    }

    private mutating func addTokens(_ count: Int, _ range: Range<Int>) {
        addInput(.tokens(count: count), JSONText(range: range, hasEscapes: false), range, isRaw: true)
    }

    private mutating func addInput(
        _ kind: Conversation.Part.Kind,
        _ text: JSONText,
        _ range: Range<Int>,
        isRaw: Bool
    ) {
        let part = found.parts.count
        add(kind, text, object: range, isRaw: isRaw)
        found.messages.append(.init(role: .user, range: range, parts: part..<part + 1))
    }
}
