/// A SOCKS5 handshake (RFC 1928, RFC 1929).
///
///     greeting --method 0--> request --reply--> open
///         \--method 2--> credentials --accepted--> request
struct SOCKS5State: TunnelState {
    private enum Phase {
        case greeting
        case credentials
        case request
        case open
    }

    private let credentials: LinkCredentials?
    private let request: [UInt8]
    private var phase = Phase.greeting

    /// - Throws: ``RoadFault/refused`` for a destination that cannot be written.
    init(_ destination: Destination, credentials: LinkCredentials?) throws(RoadFault) {
        self.credentials = credentials
        let types = SocksAddress.Types(ipv4: 1, name: 3, ipv6: 4)
        // Version 5, CONNECT, reserved.
        request =
            try [5, 1, 0] + SocksAddress.bytes(of: destination.host, types: types)
            + SocksAddress.bytes(ofPort: destination.port)
    }

    var passesInbound: Bool { phase == .open }
    var passesOutbound: Bool { phase == .open }

    mutating func connected() -> TunnelGreeting {
        // With credentials both methods are offered, as everybody does: the proxy chooses.
        .handshake(credentials == nil ? [5, 1, 0] : [5, 2, 0, 2])
    }

    mutating func received(
        _ bytes: UnsafeRawBufferPointer,
        payload: UnsafeMutableRawBufferPointer
    ) throws(RoadFault) -> TunnelProgress {
        switch phase {
        case .greeting: try receivedMethod(bytes)
        case .credentials: try receivedVerdict(bytes)
        case .request: try receivedReply(bytes)
        case .open: passed(bytes, payload)
        }
    }

    private mutating func receivedMethod(_ bytes: UnsafeRawBufferPointer) throws(RoadFault)
        -> TunnelProgress
    {
        guard let version = bytes.first else { return TunnelProgress() }
        guard version == 5 else { throw .badReply }
        guard bytes.count >= 2 else { return TunnelProgress() }
        switch (bytes[1], credentials) {
        case (0, _):
            phase = .request
            return TunnelProgress(consumed: 2, reply: request)
        case (2, let credentials?):
            phase = .credentials
            let (user, password) = (Array(credentials.user.utf8), Array(credentials.password.utf8))
            return TunnelProgress(
                consumed: 2,
                reply: [1, UInt8(user.count)] + user + [UInt8(password.count)] + password
            )
        case (0xFF, _): throw .authentication
        default: throw .badReply
        }
    }

    private mutating func receivedVerdict(_ bytes: UnsafeRawBufferPointer) throws(RoadFault)
        -> TunnelProgress
    {
        guard let version = bytes.first else { return TunnelProgress() }
        guard version == 1 else { throw .badReply }
        guard bytes.count >= 2 else { return TunnelProgress() }
        guard bytes[1] == 0 else { throw .authentication }
        phase = .request
        return TunnelProgress(consumed: 2, reply: request)
    }

    private mutating func receivedReply(_ bytes: UnsafeRawBufferPointer) throws(RoadFault)
        -> TunnelProgress
    {
        if bytes.count >= 1, bytes[0] != 5 { throw .badReply }
        if bytes.count >= 2, bytes[1] != 0 { throw Self.fault(bytes[1]) }
        if bytes.count >= 3, bytes[2] != 0 { throw .badReply }
        guard bytes.count >= 5 else { return TunnelProgress() }
        // The address it is bound to is of no use, but its length has to be known: with a name it may be any.
        let addressCount =
            switch bytes[3] {
            case 1: 4
            case 3: 1 + Int(bytes[4])
            case 4: 16
            default: throw RoadFault.badReply
            }
        let count = 4 + addressCount + 2
        guard bytes.count >= count else { return TunnelProgress() }
        phase = .open
        return TunnelProgress(consumed: count, event: .opened)
    }

    /// What a reply code means (RFC 1928, section 6).
    ///
    /// A general failure is what dante and microsocks answer for a name that does not resolve.
    private static func fault(_ code: UInt8) -> RoadFault {
        switch code {
        case 1, 3, 4, 5, 6: .destinationUnreachable
        case 2, 7, 8: .refused
        default: .badReply
        }
    }
}
