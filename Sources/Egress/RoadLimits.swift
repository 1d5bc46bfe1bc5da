public import NIOCore

/// The limits of a road and how its sockets are read.
public struct RoadLimits: Sendable {
    /// For everything until bytes can be sent: names, TCP, TLS and handshake of the proxy.
    public var connectSeconds: Double
    /// Whether the direct road may lead to addresses that are not public: for hosts that are listed literally.
    public var allowsPrivate: Bool
    /// Whether the end of what the destination sends leaves the other direction open.
    ///
    /// It is then told as `ChannelEvent.inputClosed`; without it the channel closes.
    public var allowsHalfClosure: Bool
    /// How much is read at once.
    ///
    /// Measured on loopback: 256 KiB doubles the rate of large bodies against NIO's default.
    public var receiveAllocator: any RecvByteBufferAllocator
    /// How many reads a wake-up of the event loop may take.
    public var messagesPerRead: UInt
    /// Whether small writes are sent at once.
    public var tcpNoDelay: Bool

    /// Values that suit bulk data and many connections a loop.
    public init(
        connectSeconds: Double = 5,
        allowsPrivate: Bool = false,
        allowsHalfClosure: Bool = true,
        receiveAllocator: any RecvByteBufferAllocator = AdaptiveRecvByteBufferAllocator(
            minimum: 1024,
            initial: 4096,
            maximum: 262_144
        ),
        messagesPerRead: UInt = 4,
        tcpNoDelay: Bool = true
    ) {
        self.connectSeconds = connectSeconds
        self.allowsPrivate = allowsPrivate
        self.allowsHalfClosure = allowsHalfClosure
        self.receiveAllocator = receiveAllocator
        self.messagesPerRead = messagesPerRead
        self.tcpNoDelay = tcpNoDelay
    }
}
