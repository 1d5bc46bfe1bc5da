import Egress

/// Gives arbitrary bytes to every tunnel as what its proxy sends, whole and in two pieces.
///
/// The first byte chooses the tunnel, the second where to cut. Both ways the same comes of it, except that a fault takes
/// what came with it along; what waits for more bytes stays within the bound of the protocol, and payload is never more
/// than what came.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count >= 2 else { return 0 }
    let (make, prefix) = tunnels[Int(start[0]) % tunnels.count]
    let bytes = prefix + UnsafeBufferPointer(start: start + 2, count: count - 2)
    let cut = Int(start[1]) % (bytes.count + 1)
    let whole = Outcome(make(), [bytes])
    let pieces = Outcome(make(), [Array(bytes[..<cut]), Array(bytes[cut...])])
    precondition(pieces.fault == whole.fault && pieces.isOpen == whole.isOpen)
    precondition(pieces == whole || whole.fault != nil && pieces.payload.starts(with: whole.payload))
    precondition(whole.payload.count <= bytes.count)
    return 0
}

/// What a tunnel made of what it was sent.
private struct Outcome: Equatable {
    var sent: [UInt8] = []
    var payload: [UInt8] = []
    var isOpen = false
    var hasEnded = false
    var fault: RoadFault?

    init(_ state: any TunnelState, _ pieces: [[UInt8]]) {
        var (state, held) = (state, [UInt8]())
        _ = state.connected()
        for piece in pieces where fault == nil {
            held += piece
            do {
                while try take(&held, &state) {}
            } catch {
                fault = error
            }
            precondition(fault != nil || held.count <= ShadowsocksState.maxChunk + 34)
        }
    }

    /// - Returns: whether there may be more to make of what is held.
    private mutating func take(_ held: inout [UInt8], _ state: inout any TunnelState) throws(RoadFault)
        -> Bool
    {
        guard !held.isEmpty else { return false }
        var part = [UInt8](repeating: 0, count: min(held.count, TunnelProgress.room))
        let result = held.withUnsafeBytes { raw in
            part.withUnsafeMutableBytes { part in
                Result { () throws(RoadFault) in try state.received(raw, payload: part) }
            }
        }
        let progress = try result.get()
        precondition(progress.consumed <= held.count && progress.payloadCount <= progress.consumed)
        sent += progress.reply
        payload += part[..<progress.payloadCount]
        isOpen = isOpen || progress.event == .opened
        hasEnded = hasEnded || progress.event == .ended
        held.removeFirst(progress.consumed)
        return progress.consumed > 0
    }
}

private let destination = Destination(host: "example.com", port: 443)

private func must<Value>(_ make: () throws -> Value?) -> Value {
    guard let value = try? make() else { fatalError("a tunnel's state could not be made") }
    return value
}

private func webSocket() -> any TunnelState {
    let layer = must { WebSocketLayer(host: "p.example", path: "/") }
    return WebSocketState(layer, key: Array("the sample nonce".utf8), nextMask: { 0 })
}

/// The answer to the key of RFC 6455, section 1.3, so that the frames behind it are reached.
private let webSocketAnswer = Array(
    """
    HTTP/1.1 101 Switching Protocols\r
    Upgrade: websocket\r
    Connection: Upgrade\r
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
    \r

    """.utf8
)

/// A tunnel, and what is put before the arbitrary bytes.
private let tunnels: [(make: @Sendable () -> any TunnelState, prefix: [UInt8])] = [
    ({ must { try SOCKS5State(destination, credentials: nil) } }, []),
    ({ must { try SOCKS5State(destination, credentials: LinkCredentials("user:password")) } }, [5, 2]),
    ({ must { try SOCKS5State(destination, credentials: nil) } }, [5, 0, 5, 0]),
    ({ must { try HTTPConnectState(destination, credentials: nil) } }, []),
    ({ must { try HTTPConnectState(destination, credentials: nil) } }, Array("HTTP/1.1 ".utf8)),
    ({ must { try VLESSState(destination, user: must { VLESSUser("example") }) } }, []),
    ({ webSocket() }, []),
    ({ webSocket() }, webSocketAnswer),
    (
        {
            let cipher = ShadowsocksCipher.aes128GCM
            let salt = [UInt8](repeating: 0, count: cipher.keyCount)
            let key = cipher.masterKey(password: "password")
            return must { try ShadowsocksState(destination, cipher: cipher, masterKey: key, salt: salt) }
        }, []
    ),
]
