/// The scan that fills a ``Conversation``.
///
/// Steps into exactly the containers that the dialect knows; whatever else stands in the body is skipped, with
/// its grammar checked.
struct ConversationScan {
    let document: UnsafeRawBufferPointer
    let dialect: Dialect
    var json: JSONScanner
    var found = Conversation()
    /// Whether everything so far had a shape that the dialect knows.
    var isUnderstood = true
    /// Which member each part of the present message came from.
    var sources: [MessageMember] = []
    private var hasContents = false
    private var tools: [Range<Int>] = []
    private var functions: [Range<Int>] = []

    init?(_ document: UnsafeRawBufferPointer, _ dialect: Dialect) {
        guard let json = JSONScanner(document) else { return nil }
        self.document = document
        self.dialect = dialect
        self.json = json
        found.members.reserveCapacity(12)
    }

    consuming func run() -> Conversation? {
        let start = json.position
        guard json.enterObject() else { return nil }
        var isFirst = true
        while isUnderstood, let key = json.nextKey(&isFirst) {
            let valueStart = json.position
            readMember(key)
            found.members.append(.init(key: key, value: valueStart..<json.position))
        }
        found.body = start..<json.position
        found.toolDefinitions = functions.isEmpty ? tools : tools + functions
        guard isUnderstood, json.isAtEnd(), hasContents || contentKey == nil else { return nil }
        return found
    }

    /// The member without which a request of the dialect says nothing.
    private var contentKey: StaticString? {
        switch dialect {
        case .openAIChat: "messages"
        case .completions: "prompt"
        case .embeddings: "input"
        case .images, .anthropicMessages, .responses, .gemini, .other: nil
        }
    }

    private mutating func readMember(_ key: JSONText) {
        if let contentKey, isKey(key, contentKey) {
            readContents()
        } else if isKey(key, "model") {
            found.model = json.text()
        } else if isKey(key, "stream") {
            found.isStream = readFlag()
        } else if isKey(key, "stream_options") {
            readStreamOptions()
        } else if dialect == .openAIChat, isKey(key, "tools") {
            tools = elements()
        } else if dialect == .openAIChat, isKey(key, "functions") {
            functions = elements()
        } else {
            json.skipValue()
        }
    }

    @inline(__always)
    func isKey(_ key: JSONText, _ name: StaticString) -> Bool {
        key.isEqual(to: name, in: document)
    }

    private mutating func readContents() {
        hasContents = true
        found.messages.removeAll(keepingCapacity: true)
        found.parts.removeAll(keepingCapacity: true)
        guard dialect == .openAIChat else { return readInputs() }
        found.messages.reserveCapacity(16)
        found.parts.reserveCapacity(32)
        readMessages()
    }

    /// Whether the value is `true`.
    private mutating func readFlag() -> Bool {
        let isTrue = json.next == Ascii.lowerT
        json.skipValue()
        return isTrue
    }

    private mutating func readStreamOptions() {
        found.includesUsage = false
        guard json.enterObject() else { return }
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            let isTrue = readFlag()
            if isKey(key, "include_usage") { found.includesUsage = isTrue }
        }
    }

    /// The elements of an array; none when the value is something else.
    private mutating func elements() -> [Range<Int>] {
        var elements: [Range<Int>] = []
        guard json.enterArray() else { return [] }
        var isFirst = true
        while json.nextElement(&isFirst) { elements.append(json.skipValue()) }
        return elements
    }

    private mutating func readMessages() {
        let start = json.position
        guard json.enterArray() else {
            isUnderstood = false
            return
        }
        var isFirst = true
        while isUnderstood, json.nextElement(&isFirst) { readMessage() }
        found.messagesArray = start..<json.position
    }
}
