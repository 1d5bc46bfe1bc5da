/// Takes the listening sockets of the running process over.
///
/// Nothing is lost between the two: both hold the same sockets, so what waits to be accepted waits for either.
struct Successor {
    private let connection: TakeoverConnection
    private let path: TakeoverPath
    private var state = SuccessorState()
    private var control: Descriptor?

    /// The process that serves so far.
    var predecessor: Int { connection.peerProcess }

    /// Calls the process that waits at a path; nil when there is none.
    init?(at path: TakeoverPath) throws(TakeoverError) {
        guard let socket = try path.connect() else { return nil }
        connection = try TakeoverConnection(socket)
        self.path = path
    }

    /// Asks for the listening sockets.
    mutating func receiveListeners() throws(TakeoverError) -> InheritedListeners {
        connection.send(.hello(version: TakeoverMessage.version))
        guard let (message, descriptors) = connection.receive() else {
            throw failure(state.ended(predecessorLives: true))
        }
        let action = state.received(message)
        // The last one is the socket that successors of this process will call.
        guard case .open(let names) = action, descriptors.count == names.count + 1 else {
            throw failure(action)
        }
        control = descriptors.last
        return InheritedListeners(names, descriptors.dropLast())
    }

    /// Tells the running process to stop accepting, and waits until it has.
    ///
    /// - Returns: the socket to wait at for the next successor.
    mutating func takeOver(_ opened: [ListenerName]) throws(TakeoverError) -> Descriptor {
        guard case .announce = state.opened(), let control else { throw failure(.nothing) }
        connection.send(.ready(opened))
        let action =
            connection.receive().map { state.received($0.message) }
            ?? state.ended(predecessorLives: connection.peerLives)
        guard action == .serve else { throw failure(action) }
        try path.adopt(control)
        return control
    }

    private func failure(_ action: SuccessorState.Action) -> TakeoverError {
        if case .giveUp(let reason) = action { return TakeoverError(reason) }
        return TakeoverError("the running process does not keep to the protocol")
    }
}
