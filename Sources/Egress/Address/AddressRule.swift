public import NIOCore

/// Which addresses are not public: nobody else's service can be behind them, but ours can.
///
/// After the IANA special-purpose address registries (RFC 6890): private, loopback, link-local, shared (CGNAT),
/// documentation, benchmark, multicast, reserved and unspecified addresses, and the forms of IPv6 that carry one of
/// them inside. Of IPv6 only 2000::/3 is global unicast; the rest counts as private without being listed.
public enum AddressRule {
    /// Whether an address is not public; true for Unix sockets too.
    public static func isPrivate(_ address: SocketAddress) -> Bool {
        address.ipAddress.flatMap { isPrivate(literal: $0) } ?? true
    }

    /// Whether a host that is an address literal is not public.
    ///
    /// Every spelling counts that `inet_aton` takes (`0x7f.1`, `2130706433`, `017700000001`), brackets, zones and a
    /// final dot too.
    ///
    /// - Returns: nil for a name.
    public static func isPrivate(literal: String) -> Bool? {
        switch AddressLiteral(anySpelling: literal) {
        case .ipv4(let bytes): isPrivate(ipv4: bytes)
        case .ipv6(let bytes): isPrivate(ipv6: bytes)
        case nil: nil
        }
    }

    private static func isPrivate(ipv4 bytes: [UInt8]) -> Bool {
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return blocks.contains { address >> (32 - $0.bits) == $0.prefix >> (32 - $0.bits) }
    }

    private static func isPrivate(ipv6 bytes: [UInt8]) -> Bool {
        // IPv4-mapped (RFC 4291, 2.5.5.2) and NAT64 (RFC 6052): the address inside is where it leads.
        if bytes.starts(with: mappedPrefix) || bytes.starts(with: translatedPrefix) {
            return isPrivate(ipv4: Array(bytes[12...]))
        }
        if bytes.starts(with: [0x20, 0x02]) { return isPrivate(ipv4: Array(bytes[2..<6])) }
        guard bytes[0] & 0xE0 == 0x20 else { return true }
        // Teredo, ORCHID and the rest of 2001::/23; documentation.
        if bytes.starts(with: [0x20, 0x01]), bytes[2] < 2 { return true }
        if bytes.starts(with: [0x20, 0x01, 0x0D, 0xB8]) { return true }
        return bytes.starts(with: [0x3F, 0xFF]) && bytes[2] < 0x10
    }

    private static let mappedPrefix: [UInt8] = Array(repeating: 0, count: 10) + [0xFF, 0xFF]
    private static let translatedPrefix: [UInt8] =
        [0x00, 0x64, 0xFF, 0x9B] + Array(repeating: 0, count: 8)

    private static let blocks: [(prefix: UInt32, bits: UInt32)] = [
        (0x0000_0000, 8),  // this network
        (0x0A00_0000, 8),  // private
        (0x6440_0000, 10),  // shared, CGNAT
        (0x7F00_0000, 8),  // loopback
        (0xA9FE_0000, 16),  // link-local, metadata services of clouds
        (0xAC10_0000, 12),  // private
        (0xC000_0000, 24),  // protocol assignments
        (0xC000_0200, 24),  // documentation
        (0xC058_6300, 24),  // 6to4 relays
        (0xC0A8_0000, 16),  // private
        (0xC612_0000, 15),  // benchmarks
        (0xC633_6400, 24),  // documentation
        (0xCB00_7100, 24),  // documentation
        (0xE000_0000, 4),  // multicast
        (0xF000_0000, 4),  // reserved, broadcast
    ]
}
