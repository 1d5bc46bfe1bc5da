extension ConversationScan {
    /// Reads one of `tool_calls`, or the older `function_call`, which holds name and arguments itself.
    mutating func readToolCall() {
        let start = json.position
        guard json.enterObject() else { return }
        var call = ToolCall()
        var isFirst = true
        while let key = json.nextKey(&isFirst) {
            if isKey(key, "id") {
                call.id = json.text()
            } else if isKey(key, "function") || isKey(key, "custom") {
                readFunction(&call)
            } else {
                readFunctionMember(key, &call)
            }
        }
        let object = start..<json.position
        if let id = call.id { add(.toolCallID, id, object: object) }
        if let name = call.name { add(.toolName, name, object: object) }
        if let arguments = call.arguments {
            add(.toolArguments, arguments, object: object, isRaw: call.hasRawArguments)
        }
    }

    private mutating func readFunction(_ call: inout ToolCall) {
        guard json.enterObject() else { return }
        var isFirst = true
        while let key = json.nextKey(&isFirst) { readFunctionMember(key, &call) }
    }

    private mutating func readFunctionMember(_ key: JSONText, _ call: inout ToolCall) {
        if isKey(key, "name") {
            call.name = json.text()
        } else if isKey(key, "arguments") || isKey(key, "input") {
            readArguments(&call)
        } else {
            json.skipValue()
        }
    }

    /// Arguments are a string that holds JSON; some clients send the JSON itself.
    private mutating func readArguments(_ call: inout ToolCall) {
        call.hasRawArguments = json.next != Ascii.quote
        if json.next == Ascii.lowerN {
            json.skipValue()
            call.arguments = nil
        } else if call.hasRawArguments {
            call.arguments = JSONText(range: json.skipValue(), hasEscapes: false)
        } else {
            call.arguments = json.text()
        }
    }
}

private struct ToolCall {
    var id: JSONText?
    var name: JSONText?
    var arguments: JSONText?
    var hasRawArguments = false
}
