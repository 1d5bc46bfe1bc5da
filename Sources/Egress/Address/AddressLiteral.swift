internal import Glibc

/// An IP address as its bytes in network order.
enum AddressLiteral: Hashable, Sendable {
    /// Four bytes.
    case ipv4([UInt8])
    /// Sixteen bytes.
    case ipv6([UInt8])

    /// Reads the common spelling only: four decimal numbers, or RFC 4291, section 2.2, without brackets and zone.
    ///
    /// - Returns: nil for everything else, which then is a name.
    init?(_ text: String) {
        // The C functions stop at a NUL, so text behind one would be lost.
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        if let bytes = Self.parse(AF_INET, text, byteCount: 4) {
            self = .ipv4(bytes)
        } else if let bytes = Self.parse(AF_INET6, text, byteCount: 16) {
            self = .ipv6(bytes)
        } else {
            return nil
        }
    }

    /// Reads whatever some resolver would take for an address.
    ///
    /// Besides the common spellings: IPv4 as `inet_aton` reads it (fewer than four numbers, hexadecimal, octal), IPv6
    /// with brackets or a zone, and a final dot.
    init?(anySpelling text: String) {
        guard !text.utf8.contains(0) else { return nil }
        var text = Substring(text)
        if text.hasPrefix("["), text.hasSuffix("]") { text = text.dropFirst().dropLast() }
        if text.hasSuffix(".") { text = text.dropLast() }
        if text.contains(":"), let zone = text.firstIndex(of: "%") { text = text[..<zone] }
        if let strict = AddressLiteral(String(text)) {
            self = strict
            return
        }
        var address = in_addr()
        guard inet_aton(String(text), &address) != 0 else { return nil }
        self = .ipv4(withUnsafeBytes(of: &address) { Array($0) })
    }

    private static func parse(_ family: CInt, _ text: String, byteCount: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }
}
