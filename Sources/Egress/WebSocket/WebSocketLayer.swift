/// WebSocket (RFC 6455) as a transport below another protocol.
struct WebSocketLayer: TunnelLayer {
    let host: String
    /// With its query, percent-encoded.
    let path: String

    /// - Parameters:
    ///   - host: for the field of that name.
    ///   - path: percent-decoded; gets a leading slash if it has none.
    /// - Returns: nil where a request cannot carry them.
    init?(host: String, path: String) {
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        guard !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return nil }
        self.host = host.contains(":") && AddressLiteral(host) != nil ? "[\(host)]" : host
        self.path = Self.encoded(path.hasPrefix("/") ? path : "/\(path)")
    }

    /// Encodes what cannot stand in a request's target; the rest was meant as it is.
    private static func encoded(_ path: String) -> String {
        path.utf8.map { byte in
            let isPlain = byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#")
            let digits = String(byte, radix: 16, uppercase: true)
            return isPlain ? String(UnicodeScalar(byte)) : "%\(digits.count == 1 ? "0" : "")\(digits)"
        }.joined()
    }

    func state(for destination: Destination) throws(RoadFault) -> any TunnelState {
        var random = SystemRandomNumberGenerator()
        let key = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
        return WebSocketState(self, key: key, nextMask: { UInt32.random(in: 0...UInt32.max) })
    }
}
