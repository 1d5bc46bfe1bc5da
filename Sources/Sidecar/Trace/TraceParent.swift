internal import NIOCore
internal import Wire

/// The span that a `traceparent` names, and whether its trace is kept (W3C Trace Context, section 3.2).
struct TraceParent: Equatable {
    let span: UInt64
    let isSampled: Bool

    init(span: UInt64, isSampled: Bool) {
        self.span = span
        self.isSampled = isSampled
    }

    /// Reads it off a field's value.
    ///
    /// - Returns: nil unless the value is well formed and of that trace: then the request has no parent.
    init?(_ value: UnsafeRawBufferPointer, of trace: (high: UInt64, low: UInt64)) {
        guard value.count >= 55, value[2] == 0x2D, value[35] == 0x2D, value[52] == 0x2D,
            value.hexadecimalWord(at: 3) == trace.high, value.hexadecimalWord(at: 19) == trace.low,
            let span = value.hexadecimalWord(at: 36), span != 0,
            let flags = value[54].hexadecimalValue, value[53].hexadecimalValue != nil
        else { return nil }
        self.init(span: span, isSampled: flags & 1 == 1)
    }
}

extension UnsafeRawBufferPointer {
    /// Sixteen lowercase hexadecimal digits as a number; nil where one of them is something else.
    func hexadecimalWord(at offset: Int) -> UInt64? {
        guard offset + 16 <= count else { return nil }
        var word: UInt64 = 0
        for place in offset..<offset + 16 {
            guard let digit = self[place].hexadecimalValue else { return nil }
            word = word << 4 | UInt64(digit)
        }
        return word
    }
}

extension UInt8 {
    fileprivate var hexadecimalValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x61...0x66: self - 0x57
        default: nil
        }
    }
}

extension HeadWriter {
    /// Puts a `traceparent` that names a span of the sidecar's own.
    mutating func put(traceparent traceID: String, _ parent: TraceParent) {
        put("00-")
        put(traceID)
        put(byte: 0x2D)
        for place in 0..<16 {
            let nibble = UInt8(truncatingIfNeeded: parent.span >> UInt64(60 - 4 * place)) & 15
            put(byte: nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
        }
        put(parent.isSampled ? "-01" : "-00" as StaticString)
    }
}
