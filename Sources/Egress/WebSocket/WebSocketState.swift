internal import Crypto

/// A client's side of a WebSocket that carries a byte stream in binary frames (RFC 6455).
///
///     handshake --101--> open --Close frame--> ended
///
/// Frames of any size pass without being collected: only headers and control frames wait until they are whole.
struct WebSocketState: TunnelState {
    private enum Phase: Equatable {
        case handshake
        /// Between frames, or within a data frame of which so many bytes are still to come.
        case open(remaining: Int)
        case ended
    }

    private let request: [UInt8]
    private let accept: String
    private let nextMask: @Sendable () -> UInt32
    private var phase = Phase.handshake
    /// Whether a message has begun whose final frame has not.
    private var isFragmented = false
    private var hasSentClose = false

    /// - Parameters:
    ///   - key: sixteen random bytes.
    ///   - nextMask: random, for each frame.
    init(_ layer: WebSocketLayer, key: [UInt8], nextMask: @escaping @Sendable () -> UInt32) {
        let key = Base64.text(key)
        request = Array(
            """
            GET \(layer.path) HTTP/1.1\r
            Host: \(layer.host)\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Key: \(key)\r
            Sec-WebSocket-Version: 13\r
            \r

            """.utf8
        )
        // Section 1.3: proves that the server has read the request as what it is.
        let proof = Insecure.SHA1.hash(data: Array("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
        accept = Base64.text(Array(proof))
        self.nextMask = nextMask
    }

    var passesInbound: Bool { false }
    var passesOutbound: Bool { false }
    /// A Close frame ends both directions, so the end of one is not told at all: the other may still be needed.
    var canHalfClose: Bool { false }

    mutating func connected() -> TunnelGreeting { .handshake(request) }

    mutating func received(
        _ bytes: UnsafeRawBufferPointer,
        payload: UnsafeMutableRawBufferPointer
    ) throws(RoadFault) -> TunnelProgress {
        switch phase {
        case .handshake: try receivedHead(bytes)
        case .open: try receivedFrames(bytes, payload)
        case .ended: TunnelProgress(consumed: bytes.count)
        }
    }

    private mutating func receivedHead(_ bytes: UnsafeRawBufferPointer) throws(RoadFault) -> TunnelProgress {
        guard let head = try HTTPReplyHead(bytes) else { return TunnelProgress() }
        switch head.status {
        case 101: break
        case 401, 407: throw .authentication
        case 300...599: throw .refused
        default: throw .badReply
        }
        // Nothing was offered, so nothing can have been agreed on.
        let isAgreed = head.fields.contains {
            $0.name == "sec-websocket-extensions" || $0.name == "sec-websocket-protocol"
        }
        guard head.list("upgrade", contains: "websocket"), head.list("connection", contains: "upgrade"),
            head.only("sec-websocket-accept") == accept, !isAgreed
        else { throw .badReply }
        phase = .open(remaining: 0)
        return TunnelProgress(consumed: head.byteCount, event: .opened)
    }

    /// Reads frames as far as they have come, and writes their payload one behind the other.
    private mutating func receivedFrames(
        _ bytes: UnsafeRawBufferPointer,
        _ payload: UnsafeMutableRawBufferPointer
    ) throws(RoadFault) -> TunnelProgress {
        var progress = TunnelProgress()
        while case .open(let remaining) = phase {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[progress.consumed...])
            if remaining > 0 {
                let count = min(remaining, rest.count, payload.count - progress.payloadCount)
                guard count > 0 else { break }
                let target = UnsafeMutableRawBufferPointer(rebasing: payload[progress.payloadCount...])
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
                progress.consumed += count
                progress.payloadCount += count
                phase = .open(remaining: remaining - count)
            } else {
                guard let frame = try WebSocketFrame(rest), try begin(frame, rest, &progress) else { break }
            }
        }
        return progress
    }

    /// Takes a frame on whose header has come.
    ///
    /// - Returns: whether it went on; false for a control frame that is not whole yet.
    private mutating func begin(
        _ frame: WebSocketFrame,
        _ bytes: UnsafeRawBufferPointer,
        _ progress: inout TunnelProgress
    ) throws(RoadFault) -> Bool {
        guard frame.kind.isControl else {
            guard (frame.kind == .continuation) == isFragmented else { throw .badReply }
            isFragmented = !frame.isFinal
            progress.consumed += frame.headerCount
            phase = .open(remaining: frame.payloadCount)
            return true
        }
        let count = frame.headerCount + frame.payloadCount
        guard bytes.count >= count else { return false }
        progress.consumed += count
        receivedControl(
            frame.kind,
            UnsafeRawBufferPointer(rebasing: bytes[frame.headerCount..<count]),
            &progress
        )
        return true
    }

    private mutating func receivedControl(
        _ kind: WebSocketFrame.Kind,
        _ payload: UnsafeRawBufferPointer,
        _ progress: inout TunnelProgress
    ) {
        if kind == .ping { progress.reply += frame(.pong, payload) }
        guard kind == .close else { return }
        // Section 5.5.1: answered with the same status, once.
        if !hasSentClose {
            progress.reply += frame(.close, UnsafeRawBufferPointer(rebasing: payload.prefix(2)))
        }
        hasSentClose = true
        phase = .ended
        progress.event = .ended
    }

    private func frame(_ kind: WebSocketFrame.Kind, _ payload: UnsafeRawBufferPointer) -> [UInt8] {
        let capacity = WebSocketFrame.maxHeaderCount + payload.count
        return [UInt8](unsafeUninitializedCapacity: capacity) { wire, count in
            count = WebSocketFrame.write(
                kind,
                payload,
                mask: nextMask(),
                into: UnsafeMutableRawBufferPointer(wire)
            )
        }
    }

    func sealedCount(_ payloadCount: Int) -> Int {
        WebSocketFrame.maxHeaderCount + payloadCount
    }

    mutating func seal(_ payload: UnsafeRawBufferPointer, into wire: UnsafeMutableRawBufferPointer) -> Int {
        // Behind a Close frame nothing may be sent (section 5.5.1).
        guard !hasSentClose, !payload.isEmpty else { return 0 }
        return WebSocketFrame.write(.binary, payload, mask: nextMask(), into: wire)
    }

    mutating func closing() -> [UInt8] {
        guard case .open = phase, !hasSentClose else { return [] }
        hasSentClose = true
        // 1000, normal closure.
        let status: [UInt8] = [0x03, 0xE8]
        return status.withUnsafeBytes { frame(.close, $0) }
    }
}
