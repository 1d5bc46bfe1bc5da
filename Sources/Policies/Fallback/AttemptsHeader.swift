extension FailoverState {
    /// The value of `x-sidecar-attempts`: `claude-sonnet-4-5=rate_limited, gemini-3-pro=ok`.
    ///
    /// A model's name comes from the client or the configuration, so what does not belong into a header, and what
    /// would end the name, becomes `_`.
    public var attemptsHeader: String {
        let capacity = outcomes.reduce(0) { $0 + $1.target.model.utf8.count + $1.result.utf8.count + 3 }
        return String(unsafeUninitializedCapacity: capacity) { text in
            var count = 0
            func put(_ byte: UInt8) {
                text[count] = byte
                count += 1
            }
            for (place, entry) in outcomes.enumerated() {
                if place > 0 { ", ".utf8.forEach(put) }
                entry.target.model.utf8.forEach { put($0.isSafeInHeader ? $0 : UInt8(ascii: "_")) }
                put(UInt8(ascii: "="))
                entry.result.utf8.forEach(put)
            }
            return count
        }
    }
}

extension UInt8 {
    /// Visible ASCII, less what separates the parts of the header.
    fileprivate var isSafeInHeader: Bool {
        switch self {
        case UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: ";"): false
        default: (0x21...0x7E).contains(self)
        }
    }
}
