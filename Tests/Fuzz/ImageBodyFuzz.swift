import Wire

/// Feeds arbitrary bodies to the scan for images and edits what is found, then the same bytes as an answer.
///
/// The first byte chooses the dialect and the edit. What is found lies within its part, parts follow each other, and
/// an edited body holds as many images as were left. A stream comes out the same however it is cut.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count >= 1 else { return 0 }
    let body = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    checkRequest(body, choice: Int(start[0]))
    checkAnswer(body)
    checkEvents(body, cut: Int(start[0]) % (body.count + 1))
    return 0
}

private let dialects: [Dialect] = [.openAIChat, .responses, .anthropicMessages, .gemini]

private func checkRequest(_ body: UnsafeRawBufferPointer, choice: Int) {
    let dialect = dialects[choice % 4]
    guard let found = CarriedImages(scanning: body, as: dialect) else { return }
    var end = 0
    for image in found.images {
        precondition(image.part.lowerBound >= end && image.part.upperBound <= body.count)
        let text = image.content.base64 ?? image.content.address
        precondition(text.map { image.part.contains($0.range.lowerBound - 1) } == true)
        end = image.part.upperBound
    }
    let edits: [[Splice]]
    switch choice / 4 % 3 {
    case 0: edits = found.images.map { $0.replaced(byAddress: "x:\"") }
    case 1:
        edits = found.images.map { image in
            image.replaced(byBase64: "image/png", count: 4) { $0.copyBytes(from: "AAAA".utf8) }
        }
    default: edits = [found.removing(found.images.indices.filter { choice >> ($0 % 8) & 1 == 1 })]
    }
    let removed = choice / 4 % 3 < 2 ? 0 : found.images.indices.count { choice >> ($0 % 8) & 1 == 1 }
    body.applying(Splice.merged(edits)).withUnsafeBytes { edited in
        guard let again = CarriedImages(scanning: edited, as: dialect) else {
            preconditionFailure("the edited body is not understood")
        }
        // What held an image that was removed may be one itself now.
        precondition(again.images.count >= found.images.count - removed)
        precondition(again.images.count == found.images.count || removed > 0)
        precondition(again.unclear <= found.unclear)
    }
}

/// An answer stays well formed, and no images come up that were not in it.
private func checkAnswer(_ body: UnsafeRawBufferPointer) {
    let inLines = AnswerImage.images(inEvent: body)
    _ = body.applying(Splice.merged(inLines.map { $0.replaced(byAddress: "x:1") }))
    let images = AnswerImage.images(inAnswer: body)
    guard !images.isEmpty else { return }
    let edited = body.applying(Splice.merged(images.map { $0.replaced(byAddress: "x:1") }))
    edited.withUnsafeBytes { edited in
        if Conversation(scanning: body, as: .other) != nil {
            precondition(Conversation(scanning: edited, as: .other) != nil, "the edited answer is malformed")
        }
        precondition(AnswerImage.images(inAnswer: edited).count <= images.count)
    }
}

private func checkEvents(_ stream: UnsafeRawBufferPointer, cut: Int) {
    let whole = output(stream, cuts: [stream.count])
    precondition(whole.bytes.elementsEqual(stream))
    let parts = output(stream, cuts: [cut, stream.count])
    precondition(parts.bytes.elementsEqual(stream))
    // An LF that belongs to the CR of an event's end is part of it only if both came at once.
    guard !stream.contains(0x0D) else { return }
    precondition(parts.events == whole.events)
}

private func output(_ stream: UnsafeRawBufferPointer, cuts: [Int]) -> (bytes: [UInt8], events: [Range<Int>]) {
    var hold = EventHold(maxPlainBytes: stream.count, maxImageBytes: stream.count)
    var bytes: [UInt8] = []
    var events: [Range<Int>] = []
    func take(_ step: EventHold.Step) -> Bool {
        let count: Int
        switch step {
        case .wait: return false
        case .letGo(let byteCount): count = byteCount
        case .rewrite(let byteCount):
            count = byteCount
            events.append(bytes.count..<bytes.count + count)
        }
        precondition(count > 0)
        bytes += stream[bytes.count..<bytes.count + count]
        return true
    }
    for cut in cuts {
        while take(hold.next(UnsafeRawBufferPointer(rebasing: stream[bytes.count..<cut]))) {}
    }
    _ = take(hold.finish(UnsafeRawBufferPointer(rebasing: stream[bytes.count...])))
    return (bytes, events)
}
