import TokenCount

/// Feeds arbitrary bytes to the splitters and the merge.
///
/// The first byte chooses the encoding, the second how often the rest is repeated, so that short inputs make long
/// pieces too. Whatever the text: its tokens give its bytes back, counting agrees with encoding, and a limit is
/// refused exactly when the count is over it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 2 else { return 0 }
    let counter = TokenCounter(Encoding.all[Int(start[0]) % Encoding.all.count])
    let unit = Array(UnsafeBufferPointer(start: start + 2, count: count - 2))
    let text = Array(repeatElement(unit, count: 1 + Int(start[1]) % 64).joined())

    let tokens = counter.encode(text)

    let back = counter.decode(tokens) ?? []
    precondition(counter.encode(back) == tokens)
    let string = String(decoding: text, as: UTF8.self)
    let keeps = ["o200k_base", "cl100k_base", "p50k_base", "llama3"].contains(counter.encoding.name)
    precondition(!keeps || back == Array(string.utf8))
    let suffix = counter.suffix(of: string, atMost: tokens.count / 2)
    precondition(counter.count(Array(string.utf8.dropFirst(suffix.start))) == suffix.count)
    _ = counter.count(string, specials: .asTokens)
    precondition(counter.count(text) == tokens.count)
    precondition(counter.count(text, atMost: tokens.count) == tokens.count)
    precondition(counter.count(text, atMost: tokens.count - 1) == nil)
    return 0
}
