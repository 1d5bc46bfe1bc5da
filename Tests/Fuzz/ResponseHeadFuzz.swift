import Wire

/// Reads arbitrary bytes as the head of a response to GET and to HEAD.
///
/// Both must agree on everything but the body, and an accepted head written anew from its fields is read again in the
/// same way.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    var finder = HeadFinder()
    guard case .complete(let end) = finder.advance(over: input) else { return 0 }
    let bytes = input.slice(0..<end)
    let head = try? ResponseHead(reading: bytes, toHEAD: false)
    let toHEAD = try? ResponseHead(reading: bytes, toHEAD: true)
    precondition((head == nil) == (toHEAD == nil))
    guard let head, let toHEAD else { return 0 }
    precondition(toHEAD.framing == .none && toHEAD.status == head.status && toHEAD.fields == head.fields)
    precondition((100...999).contains(head.status) && head.byteCount == end)
    precondition(head.framing != .untilClose || !head.keepsAlive)
    check(head, bytes)
    return 0
}

private func check(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer) {
    var written = Array(bytes.prefix(9)) + Array("\(head.status) \r\n".utf8)
    for field in head.fields {
        written += Array(bytes.slice(field.name)) + Array(":".utf8) + Array(bytes.slice(field.value))
        written += Array("\r\n".utf8)
    }
    written += Array("\r\n".utf8)
    written.withUnsafeBytes { written in
        guard let again = try? ResponseHead(reading: written, toHEAD: false) else {
            preconditionFailure("refused when read again")
        }
        precondition(again.status == head.status && again.framing == head.framing)
        precondition(again.keepsAlive == head.keepsAlive && again.isInterim == head.isInterim)
        for (old, new) in zip(head.fields, again.fields) {
            precondition(old.header == new.header && old.isHopByHop == new.isHopByHop)
            precondition(bytes.slice(old.value).elementsEqual(written.slice(new.value)))
        }
    }
}
