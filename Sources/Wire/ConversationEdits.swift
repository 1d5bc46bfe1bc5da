extension Conversation {
    /// The edit that asks for another model.
    public func settingModel(to model: String, in body: UnsafeRawBufferPointer) -> [Splice] {
        setting("model", toRaw: quotedJSON(model), in: body)
    }

    /// The edit that gives a top-level member a value.
    public func setting(
        _ key: StaticString,
        toRaw json: StaticString,
        in body: UnsafeRawBufferPointer
    ) -> [Splice] {
        let json = UnsafeRawBufferPointer(start: json.utf8Start, count: json.utf8CodeUnitCount)
        return setting(key, toRaw: Array(json), in: body)
    }

    /// The edit that gives a top-level member a value.
    ///
    /// Replaces the value of the last member of that name, the one that counts; without one, inserts a member
    /// right behind the opening brace. An object without members takes only one insertion, since the next would
    /// lack a comma; nothing that was scanned as a chat is one.
    ///
    /// - Parameters:
    ///   - key: a name without anything that JSON escapes.
    ///   - json: a whole JSON value, written as it is.
    public func setting(
        _ key: StaticString,
        toRaw json: [UInt8],
        in body: UnsafeRawBufferPointer
    ) -> [Splice] {
        if let value = member(key, in: body) { return [Splice(value, with: json)] }
        let name = UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        var member: [UInt8] = []
        member.reserveCapacity(name.count + json.count + 4)
        member.append(Ascii.quote)
        member.append(contentsOf: name)
        member.append(Ascii.quote)
        member.append(Ascii.colon)
        member.append(contentsOf: json)
        if !members.isEmpty { member.append(Ascii.comma) }
        let start = self.body.lowerBound + 1
        return [Splice(start..<start, with: member)]
    }

    /// The edits that leave out every top-level member whose name is not in a list.
    ///
    /// - Complexity: O(*n*) in the number of members.
    public func keepingMembers(_ names: Set<String>, in body: UnsafeRawBufferPointer) -> [Splice] {
        let kept = members.indices.filter { names.contains(members[$0].key.string(in: body)) }
        guard let first = kept.first, let last = kept.last else { return [] }
        // Up to the next member that stays, with the comma between; behind the last one the comma before goes.
        var splices = [Splice(start(of: 0)..<start(of: first), with: [])]
        for (place, next) in zip(kept, kept.dropFirst()) where next > place + 1 {
            splices.append(Splice(start(of: place + 1)..<start(of: next), with: []))
        }
        if let end = members.last?.value.upperBound {
            splices.append(Splice(members[last].value.upperBound..<end, with: []))
        }
        return splices.filter { !$0.range.isEmpty }
    }

    private func start(of member: Int) -> Int {
        members[member].key.quotedRange.lowerBound
    }

    /// The edits that leave messages out.
    ///
    /// With each run of messages goes the comma behind it, or, at the end of the array, the one before it. White
    /// space elsewhere stays, so that what is left is byte for byte what the client sent.
    ///
    /// - Parameter positions: in ``messages``, ascending, without duplicates.
    /// - Returns: nothing when the messages are not elements of an array of messages.
    public func removingMessages(_ positions: [Int]) -> [Splice] {
        guard messagesArray != nil else { return [] }
        var splices: [Splice] = []
        var start = positions.startIndex
        while start < positions.endIndex {
            var end = start + 1
            while end < positions.endIndex, positions[end] == positions[end - 1] + 1 { end += 1 }
            splices.append(Splice(spanOfRun(positions[start]...positions[end - 1]), with: []))
            start = end
        }
        return splices
    }

    private func spanOfRun(_ run: ClosedRange<Int>) -> Range<Int> {
        let isLast = run.upperBound == messages.count - 1
        let start =
            isLast && run.lowerBound > 0
            ? messages[run.lowerBound - 1].range.upperBound : messages[run.lowerBound].range.lowerBound
        let end =
            isLast ? messages[run.upperBound].range.upperBound : messages[run.upperBound + 1].range.lowerBound
        return start..<end
    }

    /// The edit that gives a part another text, as a JSON string.
    ///
    /// - Parameter part: a position in ``parts``.
    /// - Parameter text: UTF-8, not yet quoted.
    public func replacing(part: Int, text: [UInt8]) -> Splice {
        let old = parts[part]
        return Splice(old.isRaw ? old.text.range : old.text.quotedRange, with: quotedJSON(utf8: text))
    }
}
