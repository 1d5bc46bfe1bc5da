internal import CSidecar
internal import Glibc

/// The socket between two processes of which one takes over from the other.
///
/// Calls wait, for as long as ``TakeoverPath/limit(_:seconds:)`` says: not for an event loop.
struct TakeoverConnection: Sendable {
    /// The other process.
    let peerProcess: Int
    private let socket: Descriptor

    /// - Throws: ``TakeoverError`` when the other process belongs to another user.
    init(_ socket: Descriptor) throws(TakeoverError) {
        var user = uid_t()
        var process = pid_t()
        let failure = sidecar_peer(socket.number, &user, &process)
        guard failure == 0, user == geteuid() else {
            throw TakeoverError("process \(process) at the other end belongs to another user")
        }
        self.socket = socket
        peerProcess = Int(process)
    }

    /// Whether the other process has not ended; one that cannot be looked for counts as alive.
    var peerLives: Bool {
        peerProcess <= 0 || kill(pid_t(peerProcess), 0) == 0 || errno != ESRCH
    }

    /// Whether the peer still holds its end: a process that was killed has let go of it, reaped or not.
    var isOpen: Bool {
        var byte: UInt8 = 0
        return recv(socket.number, &byte, 1, CInt(MSG_PEEK | MSG_DONTWAIT)) != 0
    }

    /// Changes how long the next message may take.
    func limit(seconds: Int) throws(TakeoverError) {
        try TakeoverPath.limit(socket, seconds: seconds)
    }

    /// - Returns: whether the system has taken it.
    @discardableResult
    func send(_ message: TakeoverMessage, _ descriptors: [Descriptor] = []) -> Bool {
        let bytes = message.bytes
        let numbers = descriptors.map(\.number)
        return withExtendedLifetime(descriptors) {
            sidecar_send_descriptors(socket.number, bytes, bytes.count, numbers, numbers.count) == 0
        }
    }

    /// Waits for a message; nil at the end, when it takes too long, or when it is none.
    func receive() -> (message: TakeoverMessage, descriptors: [Descriptor])? {
        // One byte of room more, so that a message that is too long is seen to be.
        var bytes = [UInt8](repeating: 0, count: TakeoverMessage.mostBytes + 1)
        var numbers = [CInt](repeating: -1, count: Int(SIDECAR_MOST_DESCRIPTORS))
        var count = 0
        let received = sidecar_receive_descriptors(socket.number, &bytes, bytes.count, &numbers, &count)
        let descriptors = numbers.prefix(count).map(Descriptor.init(owning:))
        guard received > 0, let message = TakeoverMessage(bytes.prefix(received)) else { return nil }
        return (message, descriptors)
    }
}
