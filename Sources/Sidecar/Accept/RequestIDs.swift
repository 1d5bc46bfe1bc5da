/// Makes request and trace ids.
///
/// Unique, not secret: seeded once a loop from the system's generator, then SplitMix64, because a system call
/// for every request would cost more than the rest of accepting it.
struct RequestIDs {
    private var state: UInt64

    init() {
        var system = SystemRandomNumberGenerator()
        state = system.next()
    }

    mutating func next() -> RequestID {
        RequestID(high: nextWord(), low: nextWord() | 1)
    }

    private mutating func nextWord() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// 128 bits that name a request; also its trace id (W3C Trace Context, section 3.2.2.3).
struct RequestID: Equatable {
    let high: UInt64
    let low: UInt64

    /// 32 lowercase hexadecimal digits.
    var text: String {
        String(unsafeUninitializedCapacity: 32) { digits in
            write(high, to: digits, at: 0)
            write(low, to: digits, at: 16)
            return 32
        }
    }

    /// The id of the sidecar's own span in the trace: 16 lowercase hexadecimal digits.
    var span: String {
        String(text.suffix(16))
    }

    private func write(_ word: UInt64, to digits: UnsafeMutableBufferPointer<UInt8>, at offset: Int) {
        for place in 0..<16 {
            let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * place)) & 15
            digits[offset + place] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
        }
    }
}
