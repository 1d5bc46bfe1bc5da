/// An HTTP CONNECT request and its answer (RFC 9110, section 9.3.6).
struct HTTPConnectState: TunnelState {
    private let request: [UInt8]
    private var isOpen = false
    /// Of heads that announce the real one; with it they are bounded.
    private var interimBytes = 0

    /// - Throws: ``RoadFault/refused`` for a destination that cannot be written.
    init(_ destination: Destination, credentials: LinkCredentials?) throws(RoadFault) {
        let host = destination.host
        // A space or line end in it would write further lines of the head.
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }),
            (1...65_535).contains(destination.port)
        else { throw .refused }
        let authority = "\(host.contains(":") ? "[\(host)]" : host):\(destination.port)"
        var head = "CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n"
        if let credentials {
            let token = Base64.text(Array("\(credentials.user):\(credentials.password)".utf8))
            head += "Proxy-Authorization: Basic \(token)\r\n"
        }
        request = Array((head + "\r\n").utf8)
    }

    var passesInbound: Bool { isOpen }
    var passesOutbound: Bool { isOpen }

    mutating func connected() -> TunnelGreeting { .handshake(request) }

    mutating func received(
        _ bytes: UnsafeRawBufferPointer,
        payload: UnsafeMutableRawBufferPointer
    ) throws(RoadFault) -> TunnelProgress {
        if isOpen { return passed(bytes, payload) }
        guard let head = try HTTPReplyHead(bytes) else { return TunnelProgress() }
        switch head.status {
        case 200...299:
            // Content-Length and Transfer-Encoding mean nothing here: what follows is the tunnel.
            isOpen = true
            return TunnelProgress(consumed: head.byteCount, event: .opened)
        case 101, 300...399:
            throw .badReply
        case 100...199:
            interimBytes += head.byteCount
            guard interimBytes <= HTTPReplyHead.maxBytes else { throw .badReply }
            return TunnelProgress(consumed: head.byteCount)
        default:
            throw Self.fault(head.status)
        }
    }

    /// What a status means, as squid, tinyproxy and Envoy use them.
    private static func fault(_ status: Int) -> RoadFault {
        switch status {
        case 401, 407: .authentication
        // The other 5xx, as 501 and 505, say that the proxy does not know the method or the version.
        case 404, 408, 500, 502, 503, 504: .destinationUnreachable
        case 400...599: .refused
        default: .badReply
        }
    }
}
