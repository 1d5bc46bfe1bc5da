import Wire

/// Feeds an arbitrary event stream whole and in two pieces.
///
/// The first byte says where to cut and how long a line may be. Both ways must give the same lines, and a chat
/// stream must come to the same. As answers that break off: the first attempt passes byte for byte as far as it passes,
/// and no second one, begun in either way, makes more of a text than was said.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count >= 2 else { return 0 }
    let input = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    let cut = Int(start[0]) % (input.count + 1)
    let pieces = [
        UnsafeRawBufferPointer(rebasing: input[..<cut]), UnsafeRawBufferPointer(rebasing: input[cut...]),
    ]
    let limit = Int(start[0] & 0x1F) + 1
    precondition(payloads([input], limit) == payloads(pieces, limit))
    let whole = outcome([input])
    let parts = outcome(pieces)
    precondition(whole == parts)
    splice(pieces)
    return 0
}

private func payloads(_ pieces: [UnsafeRawBufferPointer], _ maxLineBytes: Int) -> [[UInt8]] {
    var reader = SSEReader(maxLineBytes: maxLineBytes)
    var payloads: [[UInt8]] = []
    for piece in pieces { reader.feed(piece) { payloads.append(Array($0)) } }
    reader.finish { payloads.append(Array($0)) }
    precondition(payloads.allSatisfy { $0.count <= maxLineBytes })
    return payloads + [[reader.hasOversizedLine ? 1 : 0]]
}

private func outcome(_ pieces: [UnsafeRawBufferPointer]) -> [String] {
    var reader = ChatStreamReader(dialect: .openAIChat)
    for piece in pieces { reader.feed(piece) }
    reader.finish()
    return [
        "\(reader.isDone) \(reader.hasFinish) \(reader.sawDelta)", "\(String(describing: reader.usage))",
        "\(String(describing: reader.errorText)) \(String(describing: reader.errorBody))",
    ]
}

private func splice(_ pieces: [UnsafeRawBufferPointer]) {
    var first = SplicedAnswer()
    let passed = pieces.flatMap { first.take($0) }
    precondition(pieces.joined().starts(with: passed))
    first.brokeOff()
    for manner in [SplicedAnswer.Manner.goOn, .startOver(notice: Array("again".utf8))] {
        var answer = first
        answer.begin(manner)
        for piece in pieces { _ = answer.take(piece) }
        _ = answer.end()
        precondition(answer.text.count <= 2 * first.text.count + pieces.reduce(0) { $0 + $1.count })
        precondition(!answer.isWhole || answer.closing().isEmpty)
    }
}
