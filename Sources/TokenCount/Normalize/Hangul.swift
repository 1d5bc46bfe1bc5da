/// The arithmetic of Hangul syllables (Unicode 16, section 3.12).
enum Hangul {
    private static let leads: Range<UInt32> = 0x1100..<0x1113
    private static let vowels: Range<UInt32> = 0x1161..<0x1176
    /// The first one stands for "none".
    private static let tails: Range<UInt32> = 0x11A7..<0x11C3
    private static let syllables: Range<UInt32> = 0xAC00..<0xD7A4

    /// The letters of a syllable; nil for what is none.
    @inline(__always)
    static func decomposition(of scalar: UInt32) -> (lead: UInt32, vowel: UInt32, tail: UInt32?)? {
        guard syllables.contains(scalar) else { return nil }
        let number = scalar - syllables.lowerBound
        let tail = number % 28
        let pair = number / 28
        return (
            leads.lowerBound + pair / 21, vowels.lowerBound + pair % 21,
            tail == 0 ? nil : tails.lowerBound + tail
        )
    }

    /// The syllable of a lead and a vowel, or of a syllable without a tail and a tail; else nil.
    @inline(__always)
    static func composition(of first: UInt32, _ second: UInt32) -> UInt32? {
        if leads.contains(first), vowels.contains(second) {
            let pair = (first - leads.lowerBound) * 21 + second - vowels.lowerBound
            return syllables.lowerBound + pair * 28
        }
        let hasNoTail = syllables.contains(first) && (first - syllables.lowerBound) % 28 == 0
        guard hasNoTail, tails.contains(second), second > tails.lowerBound else { return nil }
        return first + second - tails.lowerBound
    }
}
