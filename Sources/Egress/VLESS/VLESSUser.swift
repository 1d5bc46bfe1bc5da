internal import Crypto

/// The user of a VLESS link, as the sixteen bytes that are sent.
struct VLESSUser: Hashable, Sendable {
    let bytes: [UInt8]

    /// Reads a UUID with or without hyphens, or any other text of 1 to 30 bytes, which Xray maps to a UUID.
    ///
    /// That one is of version 5 with the nil UUID as name space (RFC 9562, section 5.5).
    ///
    /// - Parameter text: percent-decoded.
    /// - Returns: nil for every other length.
    init?(_ text: String) {
        if let bytes = Self.uuid(text) {
            self.bytes = bytes
            return
        }
        guard (1...30).contains(text.utf8.count) else { return nil }
        var digest = Array(
            Insecure.SHA1.hash(data: [UInt8](repeating: 0, count: 16) + Array(text.utf8)).prefix(16)
        )
        digest[6] = digest[6] & 0x0F | 0x50
        digest[8] = digest[8] & 0x3F | 0x80
        bytes = digest
    }

    private static func uuid(_ text: String) -> [UInt8]? {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false).map(\.utf8.count)
        guard groups == [8, 4, 4, 4, 12] || groups == [32] else { return nil }
        let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }.map(HexadecimalDigit.value)
        var bytes: [UInt8] = []
        for place in stride(from: 0, to: 32, by: 2) {
            guard let high = digits[place], let low = digits[place + 1] else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
