import Wire

/// Decodes arbitrary bytes as the Base64 of a JSON string.
///
/// The first two bytes say where the text is cut. Cut or whole, the result is the same; what is decoded is encoded to
/// the text again; and what is refused is no canonical Base64.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count >= 2 else { return 0 }
    let text = Array(UnsafeBufferPointer(start: start + 2, count: count - 2))
    let cuts = [Int(start[0]), Int(start[1])].map { min($0, text.count) }.sorted()
    let bytes = decoded(text, cuts: [])
    precondition(decoded(text, cuts: cuts) == bytes)
    guard let bytes else {
        precondition(text.contains(0x5C) || !isCanonical(text))
        return 0
    }
    var plain: [UInt8] = []
    text.withUnsafeBytes { text in
        JSONText(range: 0..<text.count, hasEscapes: true).append(to: &plain, from: text)
    }
    precondition(encoded(bytes, cut: cuts[0]) == plain)
    return 0
}

/// Nil when the text is refused; every piece is decoded into memory that ends where it may.
private func decoded(_ text: [UInt8], cuts: [Int]) -> [UInt8]? {
    var decoder = Base64Decoder()
    var bytes: [UInt8] = []
    var start = 0
    for end in cuts + [text.count] {
        let room = Base64Decoder.mostBytes(forText: end - start)
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 1)
        defer { output.deallocate() }
        let piece = Array(text[start..<end])
        let count = try? piece.withUnsafeBytes { try decoder.decode($0, into: output) }
        guard let count else { return nil }
        bytes += output[..<count]
        start = end
    }
    do { try decoder.finish() } catch { return nil }
    return bytes
}

/// In two pieces.
private func encoded(_ bytes: [UInt8], cut: Int) -> [UInt8] {
    var encoder = Base64Encoder()
    var text: [UInt8] = []
    for piece in [bytes.prefix(cut), bytes.dropFirst(cut)] {
        let room = Base64Encoder.textCount(forBytes: piece.count)
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 1)
        defer { output.deallocate() }
        let count = Array(piece).withUnsafeBytes { encoder.encode($0, into: output) }
        text += output[..<count]
    }
    var last: [UInt8] = [0, 0, 0, 0]
    let count = last.withUnsafeMutableBytes { encoder.finish(into: $0) }
    return text + last.prefix(count)
}

/// RFC 4648, sections 3.2, 3.5 and 4, said in another way.
private func isCanonical(_ text: [UInt8]) -> Bool {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    let padding = text.reversed().prefix { $0 == 0x3D }.count
    let digits = text.dropLast(padding).map { alphabet.firstIndex(of: $0) }
    guard text.count % 4 == 0, padding <= 2, !digits.contains(nil) else { return false }
    guard padding > 0, let last = digits.last ?? nil else { return padding == 0 }
    return last % (padding == 1 ? 4 : 16) == 0
}
