import Wire

/// Reads arbitrary bytes as a data URL in a JSON string.
///
/// The first byte chooses what is put before the rest. What is found lies in the text behind a comma, and does not
/// depend on whether the text is said to have escapes, when it has none.
///
/// Only what may stand in a JSON string is given: a scanned document has no other.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count >= 1 else { return 0 }
    let rest = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    guard !rest.contains(where: { $0 < 0x20 || $0 == 0x22 }) else { return 0 }
    let document = [0x22] + prefixes[Int(start[0]) % prefixes.count] + rest + [0x22]
    let range = 1..<document.count - 1
    let url = read(JSONText(range: range, hasEscapes: true), document)
    if !document.contains(0x5C) {
        precondition(
            read(JSONText(range: range, hasEscapes: false), document)?.base64.range == url?.base64.range
        )
    }
    guard let url else { return 0 }
    precondition(document[url.base64.range.lowerBound - 1] == 0x2C)
    precondition(range.contains(url.base64.range.lowerBound - 1))
    precondition(url.base64.range.upperBound == range.upperBound)
    precondition(url.mediaType.split(separator: "/", omittingEmptySubsequences: false).count == 2)
    precondition(url.mediaType.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
    return 0
}

private func read(_ text: JSONText, _ document: [UInt8]) -> DataURL? {
    document.withUnsafeBytes { try? DataURL(text, in: $0) }
}

private let prefixes: [[UInt8]] = ["", "data:", "data:image/", "data:image\\/png;", "data:;base64,"].map {
    Array($0.utf8)
}
