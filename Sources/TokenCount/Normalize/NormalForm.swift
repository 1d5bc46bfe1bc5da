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
    /// - Complexity: O(*n*) for ordinary text, O(*n* log *n*) at worst.
    func normalized(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var scan = StableScan(text, form: self)
        guard var segment = scan.nextChangingSegment() else { return nil }
        var normal: [UInt8] = []
        normal.reserveCapacity(text.count + text.count / 8)
        var done = 0
        while true {
            normal.append(contentsOf: text[done..<segment.lowerBound])
            var normalizer = SegmentNormalizer(form: self)
            normalizer.append(UnsafeBufferPointer(rebasing: text[segment]), to: &normal)
            done = segment.upperBound
            guard let next = scan.nextChangingSegment() else { break }
            segment = next
        }
        normal.append(contentsOf: text[done...])
        return normal
    }
}

/// Looks for the parts of a text that normalization may change.
private struct StableScan {
    private let text: UnsafeBufferPointer<UInt8>
    private let form: NormalForm
    private let table = NormalizationTable()
    private var at = 0

    init(_ text: UnsafeBufferPointer<UInt8>, form: NormalForm) {
        self.text = text
        self.form = form
    }

    /// The next scalars that may change, with the one before them, which they may join.
    mutating func nextChangingSegment() -> Range<Int>? {
        var start = at
        while at < text.count {
            if isASCIIWord {
                start = at &+ 7
                at &+= 8
                continue
            }
            let (scalar, end) = text.scalar(at: at)
            if table.properties(of: scalar).mayChange(form) {
                skipChanging(from: end)
                return start..<at
            }
            start = at
            at = end
        }
        return nil
    }

    /// Whether the next eight bytes are ASCII, which stays.
    private var isASCIIWord: Bool {
        guard at &+ 8 <= text.count, let start = text.baseAddress else { return false }
        return UnsafeRawPointer(start + at).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 == 0
    }

    private mutating func skipChanging(from start: Int) {
        at = start
        while at < text.count {
            let (scalar, end) = text.scalar(at: at)
            guard table.properties(of: scalar).mayChange(form) else { return }
            at = end
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The scalar of valid UTF-8 that starts at an offset, and the offset after it.
    @inline(__always)
    fileprivate func scalar(at offset: Int) -> (UInt32, end: Int) {
        let first = UInt32(self[offset])
        if first < 0x80 { return (first, offset &+ 1) }
        let second = UInt32(self[offset &+ 1]) & 0x3F
        if first < 0xE0 { return ((first & 0x1F) &<< 6 | second, offset &+ 2) }
        let third = second &<< 6 | UInt32(self[offset &+ 2]) & 0x3F
        if first < 0xF0 { return ((first & 0x0F) &<< 12 | third, offset &+ 3) }
        return ((first & 0x07) &<< 18 | third &<< 6 | UInt32(self[offset &+ 3]) & 0x3F, offset &+ 4)
    }
}

/// Normalizes one segment of a text.
private struct SegmentNormalizer {
    private let form: NormalForm
    private let table = NormalizationTable()
    private var scalars: [UInt32] = []

    init(form: NormalForm) {
        self.form = form
    }

    mutating func append(_ segment: UnsafeBufferPointer<UInt8>, to text: inout [UInt8]) {
        var at = 0
        while at < segment.count {
            let (scalar, end) = segment.scalar(at: at)
            decompose(scalar)
            at = end
        }
        orderMarks()
        for scalar in composed() {
            text.append(utf8: scalar)
        }
    }

    private mutating func decompose(_ scalar: UInt32) {
        if let parts = Hangul.decomposition(of: scalar) {
            scalars += parts
        } else if let parts = table.decomposition(of: scalar, in: form) {
            scalars.append(contentsOf: parts)
        } else {
            scalars.append(scalar)
        }
    }

    /// Puts each run of marks into the order of their classes, those of one class as they stand.
    private mutating func orderMarks() {
        var start = 0
        while start < scalars.count {
            var end = start
            var isOrdered = true
            var last: UInt8 = 0
            while end < scalars.count, case let order = order(at: end), order > 0 {
                isOrdered = isOrdered && last <= order
                last = order
                end += 1
            }
            if !isOrdered { sortMarks(start..<end) }
            start = end + 1
        }
    }

    private mutating func sortMarks(_ range: Range<Int>) {
        // Class, place and scalar in one number: 6, 37 and 21 bits.
        let keys = range.map { place in
            UInt64(order(at: place)) << 58 | UInt64(place) << 21 | UInt64(scalars[place])
        }
        for (place, key) in zip(range, keys.sorted()) {
            scalars[place] = UInt32(truncatingIfNeeded: key & 0x1F_FFFF)
        }
    }

    private func order(at place: Int) -> UInt8 {
        table.properties(of: scalars[place]).combiningOrder
    }

    /// Joins each starter with what it can take (Unicode 16, section 3.11, D117).
    private func composed() -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(scalars.count)
        var starter: Int?
        var last: UInt8 = 0
        for scalar in scalars {
            let order = table.properties(of: scalar).combiningOrder
            if let place = starter, place == result.count - 1 || last < order,
                let joined = Hangul.composition(of: result[place], scalar)
                    ?? table.composition(of: result[place], scalar)
            {
                result[place] = joined
                continue
            }
            if order == 0 { starter = result.count }
            last = order
            result.append(scalar)
        }
        return result
    }
}

extension [UInt8] {
    fileprivate mutating func append(utf8 scalar: UInt32) {
        func trailing(_ shift: UInt32) -> UInt8 { UInt8(0x80 | (scalar >> shift) & 0x3F) }
        switch scalar {
        case ..<0x80: append(UInt8(scalar))
        case ..<0x800: self += [UInt8(0xC0 | scalar >> 6), trailing(0)]
        case ..<0x1_0000: self += [UInt8(0xE0 | scalar >> 12), trailing(6), trailing(0)]
        default: self += [UInt8(0xF0 | scalar >> 18), trailing(12), trailing(6), trailing(0)]
        }
    }
}
