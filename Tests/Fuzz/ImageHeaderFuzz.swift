import Wire

/// Reads arbitrary bytes as an image file, and as a text that carries one.
///
/// The first byte chooses what is put before the rest, so that the search starts inside every format. A header
/// has a size and is the same when the file is read through its Base64.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count >= 1 else { return 0 }
    let rest = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    let file = prefixes[Int(start[0]) % prefixes.count] + rest
    let header = file.withUnsafeBytes { ImageHeader(reading: $0) }
    if let header { precondition(header.width > 0 && header.height > 0) }
    precondition(base64(file).withUnsafeBytes { ImageHeader(base64: $0) } == header)
    checkText(rest)
    return 0
}

/// A text without escapes is read the same when it is treated as if it had some.
///
/// Only what may stand in a JSON string is given: a scanned document has no other.
private func checkText(_ text: [UInt8]) {
    guard !text.contains(where: { $0 < 0x20 || $0 == 0x22 }) else { return }
    let hasEscapes = text.contains { $0 == 0x20 || $0 == 0x5C }
    text.withUnsafeBytes { text in
        let span = JSONText(range: 0..<text.count, hasEscapes: true)
        let escaped = ImageHeader(base64: span, in: text)
        precondition(hasEscapes || ImageHeader(base64: text) == escaped)
    }
}

private let prefixes: [[UInt8]] = [
    [],
    [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8),
    [0xFF, 0xD8, 0xFF],
    Array("GIF89a".utf8),
    Array("RIFF    WEBPVP8".utf8),
    Array("BM            ".utf8),
    [0, 0, 0, 20] + Array("ftypavif    mif1".utf8) + [0, 0, 0, 200] + Array("meta    ".utf8),
    [0, 0, 0, 20] + Array("ftypmif1    heic".utf8) + [0, 0, 0, 0] + Array("meta    ".utf8) + [0, 0, 0, 14]
        + Array("pitm".utf8) + [0, 0, 0, 0, 0, 1, 0, 0, 0, 200] + Array("iprp".utf8),
]

private func base64(_ bytes: [UInt8]) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var digits: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
        for place in 0...group.count { digits.append(alphabet[bits >> (18 - 6 * place) & 63]) }
    }
    return digits
}
