/// A file that is read here and there, either as it is or through the Base64 that stands for it.
///
/// What lies beyond the end is nil, and so is everything once ``ImageHeader/mostBytes`` bytes have been read:
/// no file, however it is made, costs more.
struct HeaderReader {
    private let text: UnsafeRawBufferPointer
    private let isBase64: Bool
    private var allowance = ImageHeader.mostBytes
    /// The size of the file in bytes; of Base64 with padding up to two more.
    let count: Int

    init(_ text: UnsafeRawBufferPointer, isBase64: Bool) {
        self.text = text
        self.isBase64 = isBase64
        count = isBase64 ? text.count / 4 * 3 + text.count % 4 * 3 / 4 : text.count
    }

    mutating func byte(_ offset: Int) -> Int? {
        guard offset >= 0, offset < count, allowance > 0 else { return nil }
        allowance -= 1
        return isBase64 ? decodedByte(offset) : Int(text[offset])
    }

    /// A little-endian number.
    mutating func little(_ offset: Int, bytes width: Int) -> Int? {
        var number = 0
        for position in 0..<width {
            guard let byte = byte(offset + position) else { return nil }
            number |= byte << (8 * position)
        }
        return number
    }

    /// A big-endian number; one of eight bytes may be negative.
    mutating func big(_ offset: Int, bytes width: Int) -> Int? {
        var number = 0
        for position in 0..<width {
            guard let byte = byte(offset + position) else { return nil }
            number = number << 8 | byte
        }
        return number
    }

    mutating func has(_ expected: StaticString, at offset: Int = 0) -> Bool {
        for position in 0..<expected.utf8CodeUnitCount {
            guard byte(offset + position) == Int(expected.utf8Start[position]) else { return false }
        }
        return true
    }

    /// Every byte lies in two neighbouring digits of six bits.
    private func decodedByte(_ offset: Int) -> Int? {
        let place = offset % 3
        let first = offset / 3 * 4 + place
        guard let high = Self.value(ofDigit: text[first]), let low = Self.value(ofDigit: text[first + 1])
        else { return nil }
        return (high << (2 * place + 2) | low >> (4 - 2 * place)) & 0xFF
    }

    /// The alphabets of RFC 4648, sections 4 and 5.
    private static func value(ofDigit digit: UInt8) -> Int? {
        switch digit {
        case 0x41...0x5A: Int(digit) - 0x41
        case 0x61...0x7A: Int(digit) - 0x61 + 26
        case 0x30...0x39: Int(digit) - 0x30 + 52
        case 0x2B, 0x2D: 62
        case 0x2F, 0x5F: 63
        default: nil
        }
    }
}
