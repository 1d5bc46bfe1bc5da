extension Conversation {
    /// Whether the answer to this chat may be made of those of several attempts.
    ///
    /// Only plain text can be: JSON of one model does not go on in another's, and of several answers at once, of
    /// audio or of probabilities nothing could be told to fit.
    public func allowsSplicedAnswer(in body: UnsafeRawBufferPointer) -> Bool {
        isStream && messagesArray != nil && isAbsent("n", or: "1", in: body)
            && isAbsent("logprobs", or: "false", in: body) && isAbsent("top_logprobs", or: "0", in: body)
            && isAbsent("audio", or: "null", in: body) && answersInText(body)
    }

    private func isAbsent(_ name: StaticString, or usual: StaticString, in body: UnsafeRawBufferPointer)
        -> Bool
    {
        guard let value = member(name, in: body) else { return true }
        let usual = UnsafeRawBufferPointer(start: usual.utf8Start, count: usual.utf8CodeUnitCount)
        return body[value].elementsEqual(usual) || body[value].elementsEqual("null".utf8)
    }

    private func answersInText(_ body: UnsafeRawBufferPointer) -> Bool {
        guard let format = member("response_format", in: body), body[format.lowerBound] == Ascii.openBrace
        else {
            return isAbsent("response_format", or: "null", in: body)
        }
        var json = JSONScanner(body, from: format.lowerBound)
        guard json?.enterObject() == true else { return false }
        var isFirst = true
        var isText = false
        while let key = json?.nextKey(&isFirst) {
            let isType = key.isEqual(to: "type", in: body)
            let value = json?.text()
            if isType { isText = value?.isEqual(to: "text", in: body) == true }
        }
        return isText
    }

    /// Whether the chat ends with the start of an answer that the client has written.
    public var endsWithAssistant: Bool { messages.last?.role == .assistant }

    /// The edit that gives the target the start of its answer: one more message, of the assistant's.
    public func beginningAnswer(with text: [UInt8]) -> [Splice] {
        guard let last = messages.last, messagesArray != nil else { return [] }
        let message =
            Array(#",{"role":"assistant","content":"#.utf8) + quotedJSON(utf8: text) + Array("}".utf8)
        return [Splice(last.range.upperBound..<last.range.upperBound, with: message)]
    }
}
