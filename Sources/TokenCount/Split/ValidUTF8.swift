/// Whether bytes are valid UTF-8 (Unicode 16, table 3-7).
///
/// - Complexity: O(*n*); eight bytes a step through ASCII, three or four through most other scripts.
func isValidUTF8(_ bytes: UnsafePointer<UInt8>, count: Int) -> Bool {
    var i = 0
    while i < count {
        if bytes[i] < 0x80 {
            i = asciiEnd(bytes, from: i, count: count)
            continue
        }
        let end =
            bytes[i] < 0xE0
            ? twoByteEnd(bytes, from: i, count: count) : threeByteEnd(bytes, from: i, count: count)
        if end > i {
            i = end
            continue
        }
        let length = scalarLength(bytes + i, available: count - i)
        guard length > 0 else { return false }
        i &+= length
    }
    return true
}

@inline(__always)
private func asciiEnd(_ bytes: UnsafePointer<UInt8>, from start: Int, count: Int) -> Int {
    var i = start
    while i &+ 8 <= count {
        let word = UInt64(littleEndian: UnsafeRawPointer(bytes + i).loadUnaligned(as: UInt64.self))
        let high = word & 0x8080_8080_8080_8080
        guard high == 0 else { return i &+ high.trailingZeroBitCount &>> 3 }
        i &+= 8
    }
    while i < count, bytes[i] < 0x80 {
        i &+= 1
    }
    return i
}

/// The end of the run of scalars of two bytes, taken two at once.
@inline(__always)
private func twoByteEnd(_ bytes: UnsafePointer<UInt8>, from start: Int, count: Int) -> Int {
    var i = start
    while i &+ 4 <= count {
        let word = UInt32(littleEndian: UnsafeRawPointer(bytes + i).loadUnaligned(as: UInt32.self))
        // C0 and C1 lead overlong ones.
        guard word & 0xC0E0_C0E0 == 0x80C0_80C0, word & 0x1E != 0, word & 0x1E_0000 != 0 else { break }
        i &+= 4
    }
    return i
}

/// The end of the run of scalars of three bytes, as far as four can be read.
@inline(__always)
private func threeByteEnd(_ bytes: UnsafePointer<UInt8>, from start: Int, count: Int) -> Int {
    var i = start
    while i &+ 4 <= count {
        let word = UInt32(littleEndian: UnsafeRawPointer(bytes + i).loadUnaligned(as: UInt32.self))
        // Neither overlong nor a surrogate: those bits tell E0 80 to E0 9F and ED A0 to ED BF.
        let telling = word & 0x200F
        guard word & 0xC0_C0F0 == 0x80_80E0, telling != 0, telling != 0x200D else { break }
        i &+= 3
    }
    return i
}

/// The length of the scalar beyond ASCII that starts here; 0 when none does.
@inline(__always)
private func scalarLength(_ bytes: UnsafePointer<UInt8>, available: Int) -> Int {
    let first = bytes[0]
    guard first >= 0xC2, first <= 0xF4, available >= 2 else { return 0 }
    let second = bytes[1]
    if first < 0xE0 {
        return isTrailing(second) ? 2 : 0
    }
    guard available >= 3, isTrailing(second), isTrailing(bytes[2]) else { return 0 }
    if first < 0xF0 {
        // Neither overlong nor a surrogate.
        return (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ? 0 : 3
    }
    guard available >= 4, isTrailing(bytes[3]) else { return 0 }
    return (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F) ? 0 : 4
}

@inline(__always)
private func isTrailing(_ byte: UInt8) -> Bool {
    byte & 0xC0 == 0x80
}
