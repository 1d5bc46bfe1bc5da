/// An address as the protocols of the SOCKS family write it: a type, then four bytes, sixteen, or a counted name.
enum SocksAddress {
    /// The types' numbers, which are not the same in every protocol.
    struct Types {
        let ipv4: UInt8
        let name: UInt8
        let ipv6: UInt8
    }

    /// Type and address, without the port.
    ///
    /// Names go out as they are: the proxy resolves them, so that ours is never asked.
    ///
    /// - Throws: ``RoadFault/refused`` for an empty name and one of more than 255 bytes, which cannot be written.
    static func bytes(of host: String, types: Types) throws(RoadFault) -> [UInt8] {
        switch AddressLiteral(host) {
        case .ipv4(let bytes):
            return [types.ipv4] + bytes
        case .ipv6(let bytes):
            return [types.ipv6] + bytes
        case nil:
            let name = Array(host.utf8)
            guard (1...255).contains(name.count) else { throw .refused }
            return [types.name, UInt8(name.count)] + name
        }
    }

    /// A port, high byte first.
    ///
    /// - Throws: ``RoadFault/refused`` for a number that is none.
    static func bytes(ofPort port: Int) throws(RoadFault) -> [UInt8] {
        guard (1...65_535).contains(port) else { throw .refused }
        return [UInt8(port >> 8), UInt8(port & 0xFF)]
    }
}
