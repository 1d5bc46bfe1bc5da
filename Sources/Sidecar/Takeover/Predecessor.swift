internal import CSidecar
internal import Dispatch
internal import Synchronization

/// Waits for the process that takes over from this one, and hands it the listening sockets.
///
/// One at a time; whoever fails or leaves before it serves changes nothing.
final class Predecessor: Sendable {
    /// How long a successor may take to open its listeners.
    private static let openingSeconds = 30

    private enum Standing {
        case waiting, talking, released
    }

    private let path: TakeoverPath
    /// Nil once nobody is waited for: the next process waits there alone.
    private let control: Mutex<Descriptor?>
    private let listeners: OpenListeners
    private let log: EventLog
    private let released: @Sendable () -> Void
    private let queue = DispatchQueue(label: "takeover")
    private let standing = Mutex(Standing.waiting)
    // Sources may be used from any thread (dispatch_source_create(3)); only their type does not say so on Linux.
    private nonisolated(unsafe) let source: any DispatchSourceRead

    /// Begins to wait.
    ///
    /// - Parameters:
    ///   - control: the listening socket at the path.
    ///   - released: called once, when another process serves in place of this one.
    init(
        at path: TakeoverPath,
        control: Descriptor,
        listeners: OpenListeners,
        log: EventLog,
        released: @escaping @Sendable () -> Void
    ) {
        self.path = path
        self.control = Mutex(control)
        self.listeners = listeners
        self.log = log
        self.released = released
        source = DispatchSource.makeReadSource(fileDescriptor: control.number, queue: queue)
        source.setEventHandler { [weak self] in self?.answer() }
        // Not before: until then the source looks at it.
        source.setCancelHandler { [weak self] in self?.control.withLock { $0 = nil } }
        source.resume()
    }

    /// Waits no longer; the socket's file goes too, unless another process has it.
    func stop() {
        source.cancel()
        if standing.withLock({ $0 == .waiting }) { path.remove() }
    }

    private func answer() {
        guard standing.withLock({ $0 == .waiting }), let control = control.withLock({ $0 }) else { return }
        let number = sidecar_accept(control.number)
        guard number >= 0 else { return }
        let socket = Descriptor(owning: number)
        do throws(TakeoverError) {
            try TakeoverPath.limit(socket)
            try talk(TakeoverConnection(socket), control)
        } catch {
            log.write(.warning, "takeover refused", [("reason", error.description)])
        }
    }

    private func talk(_ connection: TakeoverConnection, _ control: Descriptor) throws(TakeoverError) {
        standing.withLock { $0 = .talking }
        defer { standing.withLock { if $0 == .talking { $0 = .waiting } } }
        var state = PredecessorState()
        var action = PredecessorState.Action.nothing
        repeat {
            action = connection.receive().map { state.received($0.message) } ?? state.ended()
            try carryOut(action, connection, control)
        } while action == .offer
        if case .release(let taken) = action { release(taken, to: connection) }
    }

    private func carryOut(
        _ action: PredecessorState.Action,
        _ connection: TakeoverConnection,
        _ control: Descriptor
    ) throws(TakeoverError) {
        switch action {
        case .offer:
            let offered = listeners.offered()
            connection.send(.offer(offered.map(\.name)), offered.map(\.descriptor) + [control])
            try connection.limit(seconds: Self.openingSeconds)
        case .refuse(let reason):
            connection.send(.refused(reason: reason))
            noteFailure(reason, connection)
        case .serveOn:
            noteFailure("the other process has left, or took too long", connection)
        case .release, .nothing: break
        }
    }

    private func release(_ taken: [ListenerName], to connection: TakeoverConnection) {
        // With nobody there to accept, everything would wait for ever.
        guard connection.isOpen else {
            return noteFailure("the other process has left after it was ready", connection)
        }
        standing.withLock { $0 = .released }
        source.cancel()
        listeners.close { $0.name != "admin" || taken.contains($0) }
        connection.send(.done)
        let names = taken.map(\.name).joined(separator: ",")
        log.write(.info, "handed over", [("to_pid", String(connection.peerProcess)), ("listeners", names)])
        released()
    }

    private func noteFailure(_ reason: String, _ connection: TakeoverConnection) {
        log.write(
            .warning,
            "takeover not completed, this process serves on",
            [("pid", String(connection.peerProcess)), ("reason", reason)]
        )
    }
}
