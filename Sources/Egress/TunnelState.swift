/// One connection by a tunnel's protocol, as this side of it sees it.
///
/// Pure: it never touches a channel. The lower layer's events come in, one action goes out; the handler performs it.
/// Bytes are handed over as the memory they lie in, and payload is written where its user will read it, so that bulk
/// data is not copied for the sake of the interface.
///
///     connected --handshake, if there is one--> open --> payload both ways until the end
protocol TunnelState {
    /// The connection below stands.
    mutating func connected() -> TunnelGreeting

    /// Bytes came from the proxy.
    ///
    /// - Parameters:
    ///   - bytes: all that have not been consumed before.
    ///   - payload: where to write the payload; has room for all of the bytes, or for ``TunnelProgress/room``.
    /// - Throws: when they are not what the protocol allows; nothing may be asked of the state afterwards.
    mutating func received(
        _ bytes: UnsafeRawBufferPointer,
        payload: UnsafeMutableRawBufferPointer
    ) throws(RoadFault) -> TunnelProgress

    /// Whether what comes from the proxy from now on is payload as it is.
    var passesInbound: Bool { get }

    /// Whether payload goes to the proxy as it is from now on.
    var passesOutbound: Bool { get }

    /// Whether the protocol wants bytes sent even if there is no payload.
    var owesBytes: Bool { get }

    /// Whether the end of one direction can be told to the proxy with the other direction left open.
    var canHalfClose: Bool { get }

    /// An upper bound of the bytes that so much payload becomes.
    func sealedCount(_ payloadCount: Int) -> Int

    /// Writes payload as the protocol wants it.
    ///
    /// - Parameter wire: at least ``sealedCount(_:)`` bytes.
    /// - Returns: the number of bytes written.
    mutating func seal(_ payload: UnsafeRawBufferPointer, into wire: UnsafeMutableRawBufferPointer) -> Int

    /// What is to be sent before the connection is closed.
    mutating func closing() -> [UInt8]
}

/// How a tunnel begins.
enum TunnelGreeting: Equatable {
    /// The handshake's first bytes; the proxy has to answer them.
    case handshake([UInt8])
    /// There is nothing to wait for: payload can be sent.
    case open
}

/// What a tunnel made of bytes from the proxy.
struct TunnelProgress: Equatable {
    /// Payload that is taken at a time: more than any protocol seals in one piece, and little enough for memory that
    /// the allocator keeps at hand.
    static let room = 65_536

    enum Event: Equatable {
        case none
        /// Payload can be sent from now on.
        case opened
        /// The proxy has said that nothing more will come.
        case ended
    }

    /// How many bytes are done with, from the start.
    ///
    /// Those behind are to be shown again, with more behind them. 0, with no event, when more bytes are needed first.
    var consumed = 0
    /// How many bytes of payload were written.
    var payloadCount = 0
    /// Bytes to be sent to the proxy.
    var reply: [UInt8] = []
    var event = Event.none
}

/// What holds for protocols that are nothing but a handshake.
extension TunnelState {
    var owesBytes: Bool { false }

    var canHalfClose: Bool { true }

    func sealedCount(_ payloadCount: Int) -> Int { payloadCount }

    mutating func seal(_ payload: UnsafeRawBufferPointer, into wire: UnsafeMutableRawBufferPointer) -> Int {
        wire.copyMemory(from: payload)
        return payload.count
    }

    mutating func closing() -> [UInt8] { [] }

    /// All of it is payload.
    func passed(_ bytes: UnsafeRawBufferPointer, _ payload: UnsafeMutableRawBufferPointer) -> TunnelProgress {
        let count = min(bytes.count, payload.count)
        payload.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        return TunnelProgress(consumed: count, payloadCount: count)
    }
}
