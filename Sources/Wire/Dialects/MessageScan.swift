/// The members of a chat message that are read.
enum MessageMember: UInt8, CaseIterable {
    case role, content, name, refusal, toolCalls, toolCallID, functionCall, reasoningContent, reasoning
    case thinkingBlocks

    private static let names: [(name: StaticString, member: MessageMember)] = [
        ("content", .content),
        ("role", .role),
        ("name", .name),
        ("tool_calls", .toolCalls),
        ("tool_call_id", .toolCallID),
        ("refusal", .refusal),
        ("reasoning_content", .reasoningContent),
        ("reasoning", .reasoning),
        ("thinking_blocks", .thinkingBlocks),
        ("function_call", .functionCall),
    ]

    init?(_ key: JSONText, in document: UnsafeRawBufferPointer) {
        // By far the most frequent two, before the table.
        if key.isEqual(to: "role", in: document) {
            self = .role
        } else if key.isEqual(to: "content", in: document) {
            self = .content
        } else if let row = Self.names.first(where: { key.isEqual(to: $0.name, in: document) }) {
            self = row.member
        } else {
            return nil
        }
    }
}

extension ConversationScan {
    mutating func readMessage() {
        let start = json.position
        let firstPart = found.parts.count
        guard json.next == Ascii.openBrace, json.enterObject() else {
            isUnderstood = false
            return
        }
        sources.removeAll(keepingCapacity: true)
        var role = Conversation.Role.other
        var occurrences = Occurrences()
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            guard let member = MessageMember(key, in: document) else {
                if isKey(key, "images") { found.hasAttachedImages = true }
                json.skipValue()
                continue
            }
            occurrences.met(member, at: found.parts.count)
            if member == .role { role = readRole() } else { readMember(member) }
            while firstPart + sources.count < found.parts.count { sources.append(member) }
        }
        dropSuperseded(by: occurrences, from: firstPart)
        let range = start..<json.position
        for part in firstPart..<found.parts.count where found.parts[part].object.isEmpty {
            found.parts[part].object = range
        }
        found.messages.append(.init(role: role, range: range, parts: firstPart..<found.parts.count))
    }

    private mutating func readMember(_ member: MessageMember) {
        switch member {
        case .role: break
        case .content: readContent()
        case .name: readString(as: .name)
        case .refusal: readString(as: .refusal)
        case .toolCallID: readString(as: .toolResultID)
        case .reasoningContent, .reasoning: readString(as: .reasoning)
        case .toolCalls: readToolCalls()
        case .functionCall: readToolCall()
        case .thinkingBlocks: readContentParts()
        }
    }

    private mutating func readRole() -> Conversation.Role {
        guard let text = json.text() else { return .other }
        if isKey(text, "user") { return .user }
        if isKey(text, "assistant") { return .assistant }
        return Conversation.Role(rawValue: text.string(in: document)) ?? .other
    }

    private mutating func readString(as kind: Conversation.Part.Kind) {
        if let text = json.text() { add(kind, text) }
    }

    private mutating func readContent() {
        switch json.next {
        case Ascii.quote: readString(as: .text)
        case Ascii.openBracket: readContentParts()
        case Ascii.lowerN: json.skipValue()
        default: isUnderstood = false
        }
    }

    private mutating func readToolCalls() {
        guard json.enterArray() else { return }
        var isFirst = true
        while json.nextElement(&isFirst) { readToolCall() }
    }

    /// Adds a part.
    ///
    /// - Parameter object: empty for a string of the message itself, whose end is not known yet.
    mutating func add(
        _ kind: Conversation.Part.Kind,
        _ text: JSONText,
        object: Range<Int> = 0..<0,
        isRaw: Bool = false
    ) {
        found.parts.append(.init(kind: kind, text: text, object: object, isRaw: isRaw))
    }

    /// Leaves out the parts of members that a later member of the same name replaces.
    private mutating func dropSuperseded(by occurrences: Occurrences, from firstPart: Int) {
        guard !occurrences.latest.isEmpty else { return }
        var kept = firstPart
        for part in firstPart..<found.parts.count {
            let member = sources[part - firstPart]
            guard part >= occurrences.latest[Int(member.rawValue)] else { continue }
            found.parts[kept] = found.parts[part]
            kept += 1
        }
        found.parts.removeSubrange(kept...)
    }
}

/// Which members of a message were met, and from which part on they count.
private struct Occurrences {
    private var met: UInt16 = 0
    /// By member; empty as long as nothing was met twice, so that a normal message allocates nothing.
    private(set) var latest: [Int] = []

    mutating func met(_ member: MessageMember, at part: Int) {
        let bit: UInt16 = 1 << member.rawValue
        if met & bit != 0 {
            if latest.isEmpty { latest = Array(repeating: 0, count: MessageMember.allCases.count) }
            latest[Int(member.rawValue)] = part
        }
        met |= bit
    }
}
