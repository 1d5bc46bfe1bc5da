import Wire

/// Feeds arbitrary bytes to the JSON scanner, as values of a member.
///
/// Whatever is accepted must lie within the body, end in a brace, and be refused once its last brace is gone.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array("{\"v\":".utf8) + UnsafeBufferPointer(start: start, count: count) + Array("}".utf8)
    input.withUnsafeBytes { body in
        guard let scanned = Conversation(scanning: body, as: .other) else { return }
        precondition(body[scanned.body.lowerBound] == 0x7B && body[scanned.body.upperBound - 1] == 0x7D)
        let cut = UnsafeRawBufferPointer(rebasing: body[..<(scanned.body.upperBound - 1)])
        precondition(Conversation(scanning: cut, as: .other) == nil)
        for member in scanned.members {
            precondition(!member.value.isEmpty && scanned.body.contains(member.value.upperBound))
            let text = member.key.string(in: body)
            let quoted = quotedJSON(text)
            precondition(quoted.first == 0x22 && quoted.last == 0x22)
            precondition(member.key.isEqual(to: text, in: body) || text.unicodeScalars.contains("\u{FFFD}"))
        }
    }
    return 0
}
