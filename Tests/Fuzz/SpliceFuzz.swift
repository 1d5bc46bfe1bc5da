import Wire

/// Feeds arbitrary bytes and spans to the splice editor.
///
/// What lies before and behind a splice must stay, and putting the old bytes back must restore the document.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard count >= 3 else { return 0 }
    let low = Int(input[0]) % count
    let high = low + Int(input[1]) % (count - low)
    let replacement = Array(input.prefix(Int(input[2]) % count))
    let edited = input.applying(Splice.merged([[Splice(low..<high, with: replacement)]]))
    precondition(edited.prefix(low).elementsEqual(input.prefix(low)))
    precondition(edited.suffix(count - high).elementsEqual(input.suffix(count - high)))
    let back = Splice(low..<low + replacement.count, with: Array(input[low..<high]))
    precondition(edited.applying([back]) == input)
    return 0
}
