/// Multiplies words of 128 bits and folds the product, as wyhash does (Wang Yi, "wyhash", 2020): several bytes a
/// cycle, where a cryptographic hash would cost as much as counting.
///
/// For what may go wrong without harm: a collision makes a wrong figure, no more, and without the secret nobody can
/// look for one.
func keyedHash(of bytes: UnsafeRawBufferPointer, _ secret: UInt64) -> UInt64 {
    let (first, second): (UInt64, UInt64) = (0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB)
    var (even, odd) = (secret, secret ^ second)
    var index = 0
    if let base = bytes.baseAddress {
        // Through the pointer no word's place is checked, which would cost as much again.
        while index &+ 32 <= bytes.count {
            even = folded(base.word(at: index) ^ first ^ even, base.word(at: index &+ 8) ^ even)
            odd = folded(base.word(at: index &+ 16) ^ second ^ odd, base.word(at: index &+ 24) ^ odd)
            index &+= 32
        }
        if bytes.count >= 32, index < bytes.count {
            // The last words once more with what is left: cheaper than going through that byte by byte.
            let last = bytes.count &- 32
            even = folded(base.word(at: last) ^ first ^ even, base.word(at: last &+ 8) ^ even)
            odd = folded(base.word(at: last &+ 16) ^ second ^ odd, base.word(at: last &+ 24) ^ odd)
            index = bytes.count
        }
    }
    while index < bytes.count {
        even = folded(bytes.partialWord(at: index) ^ first, even ^ second)
        index += 8
    }
    return folded(even ^ UInt64(bytes.count), odd ^ first)
}

@inline(__always)
private func folded(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
}

extension UnsafeRawPointer {
    @inline(__always)
    fileprivate func word(at offset: Int) -> UInt64 {
        loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
}

extension UnsafeRawBufferPointer {
    /// At most eight bytes, the missing ones as zero.
    fileprivate func partialWord(at offset: Int) -> UInt64 {
        if offset + 8 <= count { return loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
        var word: UInt64 = 0
        for place in offset..<count { word = word << 8 | UInt64(self[place]) }
        return word
    }
}
