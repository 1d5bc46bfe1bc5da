/// A normal form of Unicode text (Unicode Standard Annex 15).
enum NormalForm: Sendable {
    /// NFC.
    case composed
    /// NFKC.
    case compatible

    /// The normal form of a text; nil when it has that form already.
    ///
    /// Only what may change is looked at closely: from the last scalar that stays before it to the next one.
    ///
    /// - Complexity: O(*n*).
    func normalized(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        let scan = StableScan(text, form: self)
        guard var start = scan.nextChange(from: 0) else { return nil }
        var normalizer = Normalizer(form: self, expecting: text.count)
        var done = 0
        while true {
            normalizer.keep(text[done..<start])
            done = normalizer.normalize(text, from: start)
            guard let next = scan.nextChange(from: done) else { break }
            start = next
        }
        normalizer.keep(text[done...])
        return normalizer.finish()
    }
}

/// Looks for the parts of a text that normalization may change.
private struct StableScan {
    private let text: UnsafeBufferPointer<UInt8>
    private let form: NormalForm
    private let table = NormalizationTable()

    init(_ text: UnsafeBufferPointer<UInt8>, form: NormalForm) {
        self.text = text
        self.form = form
    }

    /// Where the scalar starts that is before the next one that may change, and which that may join.
    func nextChange(from start: Int) -> Int? {
        var start = start
        var at = start
        while at < text.count {
            if isASCIIWord(at: at) {
                start = at &+ 7
                at &+= 8
                continue
            }
            let (scalar, end) = text.scalar(at: at)
            if table.unit(scalar, in: form).mayChange { return start }
            start = at
            at = end
        }
        return nil
    }

    /// Whether the next eight bytes are ASCII, which stays.
    @inline(__always)
    private func isASCIIWord(at offset: Int) -> Bool {
        guard offset &+ 8 <= text.count, let start = text.baseAddress else { return false }
        return UnsafeRawPointer(start + offset).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 == 0
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The scalar of valid UTF-8 that starts at an offset, and the offset after it.
    @inline(__always)
    func scalar(at offset: Int) -> (UInt32, end: Int) {
        let first = UInt32(self[offset])
        if first < 0x80 { return (first, offset &+ 1) }
        let second = UInt32(self[offset &+ 1]) & 0x3F
        if first < 0xE0 { return ((first & 0x1F) &<< 6 | second, offset &+ 2) }
        let third = second &<< 6 | UInt32(self[offset &+ 2]) & 0x3F
        if first < 0xF0 { return ((first & 0x0F) &<< 12 | third, offset &+ 3) }
        return ((first & 0x07) &<< 18 | third &<< 6 | UInt32(self[offset &+ 3]) & 0x3F, offset &+ 4)
    }
}
