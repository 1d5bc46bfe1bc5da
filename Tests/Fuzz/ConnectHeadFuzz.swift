import Wire

/// Feeds arbitrary bytes behind `CONNECT ` to the finder of heads, and reads what it finds.
///
/// An accepted head has no second meaning: one authority without white space, no body, and nothing that a request
/// with the same fields would be refused for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array("CONNECT ".utf8) + UnsafeBufferPointer(start: start, count: count)
    input.withUnsafeBytes { input in
        var finder = HeadFinder()
        guard case .complete(let end) = finder.advance(over: input) else { return }
        let bytes = input.slice(0..<end)
        guard let head = try? ConnectHead(reading: bytes) else { return }
        check(head, bytes)
    }
    return 0
}

private func check(_ head: ConnectHead, _ bytes: UnsafeRawBufferPointer) {
    precondition(head.byteCount == bytes.count && !head.authority.isEmpty)
    precondition(bytes.slice(head.authority).allSatisfy { $0 > 0x20 && $0 != 0x7F })
    var written = Array("OPTIONS * HTTP/1.1\r\n".utf8)
    if !head.fields.contains(where: { $0.header == .host }) { written += Array("Host: a\r\n".utf8) }
    for field in head.fields {
        // Its value is no business of a tunnel, and has rules of its own.
        let value = field.header == .host ? Array("a".utf8) : Array(bytes.slice(field.value))
        written += Array(bytes.slice(field.name)) + Array(": ".utf8) + value + Array("\r\n".utf8)
    }
    written += Array("\r\n".utf8)
    written.withUnsafeBytes { written in
        guard let request = try? RequestHead(reading: written) else {
            preconditionFailure("refused as a request")
        }
        precondition(request.framing == .none)
    }
}
