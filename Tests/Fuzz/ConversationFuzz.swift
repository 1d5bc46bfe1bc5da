import Wire

/// Feeds arbitrary bodies to the scan of conversations and edits what is understood.
///
/// The first byte chooses the dialect and the messages to remove. An edited body must be understood again, with
/// exactly the messages that were left and the model that was set.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count >= 1 else { return 0 }
    let dialect = Dialect.allCases[Int(start[0]) % Dialect.allCases.count]
    let body = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    _ = ErrorBody.reading(body)
    _ = Usage.reading(answer: body)
    guard let scanned = Conversation(scanning: body, as: dialect) else { return 0 }
    _ = scanned.isTask(in: body)
    _ = scanned.metadataText("chat_id", in: body)
    for part in scanned.parts {
        precondition(part.object.lowerBound <= part.text.range.lowerBound)
        precondition(part.object.upperBound >= part.text.range.upperBound)
    }
    let canRemove = scanned.messagesArray != nil
    let removed = scanned.messages.indices.filter { canRemove && start[0] >> ($0 % 8) & 1 == 1 }
    let edits = Splice.merged([
        scanned.settingModel(to: "m", in: body), scanned.removingMessages(removed),
        scanned.parts.isEmpty ? [] : [scanned.replacing(part: 0, text: [0x22, 0x0A])],
    ])
    check(body.applying(edits), as: dialect, messages: scanned.messages.count - removed.count)
    return 0
}

private func check(_ edited: [UInt8], as dialect: Dialect, messages: Int) {
    edited.withUnsafeBytes { edited in
        guard let again = Conversation(scanning: edited, as: dialect) else {
            preconditionFailure("the edited body is not understood")
        }
        precondition(again.model?.isEqual(to: "m", in: edited) == true)
        precondition(again.messagesArray == nil || again.messages.count == messages)
    }
}
