/// A VLESS connection, version 0, without addons.
///
/// The request `00 | user(16) | 00 | 01 | port(2) | type | address` goes before the first payload, in one write with it:
/// a header alone would be a packet of telling length. The answer `00 | N | addons(N)` comes before the first payload
/// from the other side and not earlier, so nothing waits for it. A proxy that refuses closes without a byte.
struct VLESSState: TunnelState {
    private let header: [UInt8]
    private var isHeaderSent = false
    private var isAnswered = false

    /// - Throws: ``RoadFault/refused`` for a destination that cannot be written.
    init(_ destination: Destination, user: VLESSUser) throws(RoadFault) {
        let types = SocksAddress.Types(ipv4: 1, name: 2, ipv6: 3)
        // Version, user, length of the addons, TCP; the port stands before the address.
        header =
            try [0] + user.bytes + [0, 1] + SocksAddress.bytes(ofPort: destination.port)
            + SocksAddress.bytes(of: destination.host, types: types)
    }

    var passesInbound: Bool { isAnswered }
    var passesOutbound: Bool { isHeaderSent }
    var owesBytes: Bool { !isHeaderSent }

    mutating func connected() -> TunnelGreeting { .open }

    mutating func received(
        _ bytes: UnsafeRawBufferPointer,
        payload: UnsafeMutableRawBufferPointer
    ) throws(RoadFault) -> TunnelProgress {
        if isAnswered { return passed(bytes, payload) }
        guard let version = bytes.first else { return TunnelProgress() }
        guard version == 0 else { throw .badReply }
        guard bytes.count >= 2, bytes.count >= 2 + Int(bytes[1]) else { return TunnelProgress() }
        isAnswered = true
        return TunnelProgress(consumed: 2 + Int(bytes[1]))
    }

    func sealedCount(_ payloadCount: Int) -> Int {
        payloadCount + (isHeaderSent ? 0 : header.count)
    }

    mutating func seal(_ payload: UnsafeRawBufferPointer, into wire: UnsafeMutableRawBufferPointer) -> Int {
        let start = isHeaderSent ? 0 : header.count
        if !isHeaderSent { wire.copyBytes(from: header) }
        isHeaderSent = true
        UnsafeMutableRawBufferPointer(rebasing: wire[start...]).copyMemory(from: payload)
        return start + payload.count
    }
}
