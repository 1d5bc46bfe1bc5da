/// Writes a text as a JSON string, quotes included.
///
/// Only what RFC 8259 section 7 requires is escaped: the quote, the backslash and control characters.
public func quotedJSON(_ text: String) -> [UInt8] {
    quotedJSON(utf8: Array(text.utf8))
}

/// Writes UTF-8 as a JSON string, quotes included.
///
/// Bytes that are not UTF-8 are copied as they are, so that text read from a document goes back unchanged.
///
/// - Complexity: O(*n*); plain stretches are copied whole.
public func quotedJSON(utf8 text: [UInt8]) -> [UInt8] {
    var quoted: [UInt8] = [Ascii.quote]
    quoted.reserveCapacity(text.count + text.count / 16 + 2)
    text.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        var position = 0
        while position < bytes.count {
            let plainEnd = firstSpecial(base, from: position, to: bytes.count)
            quoted.append(contentsOf: bytes[position..<plainEnd])
            guard plainEnd < bytes.count else { return }
            appendEscaped(bytes[plainEnd], to: &quoted)
            position = plainEnd + 1
        }
    }
    quoted.append(Ascii.quote)
    return quoted
}

private func appendEscaped(_ byte: UInt8, to quoted: inout [UInt8]) {
    switch byte {
    case Ascii.quote, Ascii.backslash: quoted += [Ascii.backslash, byte]
    case 0x08: quoted += [Ascii.backslash, Ascii.lowerB]
    case 0x0C: quoted += [Ascii.backslash, Ascii.lowerF]
    case Ascii.lineFeed: quoted += [Ascii.backslash, Ascii.lowerN]
    case Ascii.carriageReturn: quoted += [Ascii.backslash, Ascii.lowerR]
    case Ascii.tab: quoted += [Ascii.backslash, Ascii.lowerT]
    default:
        let hex = Array("0123456789abcdef".utf8)
        quoted += "\\u00".utf8
        quoted += [hex[Int(byte >> 4)], hex[Int(byte & 0xF)]]
    }
}
