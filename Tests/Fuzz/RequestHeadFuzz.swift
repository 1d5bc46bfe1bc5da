import Wire

/// Feeds arbitrary bytes to the finder of heads, whole and in two pieces, and reads what it finds as a request.
///
/// The first byte says where to cut. An accepted head has no line end, no NUL and no second meaning in any part, and
/// written anew from its parts it is read again in the same way.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count >= 1 else { return 0 }
    let input = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    var whole = HeadFinder()
    let progress = whole.advance(over: input)
    var cut = HeadFinder()
    let first = cut.advance(over: input.slice(0..<Int(start[0]) % (input.count + 1)))
    precondition((first == .incomplete ? cut.advance(over: input) : first) == progress)
    guard case .complete(let end) = progress else { return 0 }
    let bytes = input.slice(0..<end)
    guard let head = try? RequestHead(reading: bytes) else { return 0 }
    check(head, bytes)
    return 0
}

private func check(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) {
    precondition(head.byteCount == bytes.count)
    var written = Array(bytes.slice(head.method)) + [0x20] + Array(bytes.slice(head.target))
    precondition(!written.contains { $0 < 0x20 || $0 == 0x7F })
    written += Array(" HTTP/1.\(head.minorVersion)\r\n".utf8)
    for field in head.fields {
        let line = Array(bytes.slice(field.name)) + Array(": ".utf8) + Array(bytes.slice(field.value))
        precondition(!line.contains { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F })
        written += line + Array("\r\n".utf8)
    }
    written += Array("\r\n".utf8)
    written.withUnsafeBytes { written in
        guard let again = try? RequestHead(reading: written) else {
            preconditionFailure("refused when read again")
        }
        precondition(again.framing == head.framing && again.keepsAlive == head.keepsAlive)
        precondition(again.isUpgrade == head.isUpgrade && again.expectsContinue == head.expectsContinue)
        precondition(again.fields.count == head.fields.count)
        for (old, new) in zip(head.fields, again.fields) {
            precondition(old.header == new.header && old.isHopByHop == new.isHopByHop)
            precondition(bytes.slice(old.value).elementsEqual(written.slice(new.value)))
        }
    }
}
