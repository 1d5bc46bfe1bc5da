internal import NIOCore

/// A connection of a client, as the event loop that it lives on knows it.
protocol ClientConnection: AnyObject {
    /// Looks at time limits.
    func tick(now: NIODeadline)
    /// Ends now what is idle, and the rest when it is done.
    func drain()
    /// Ends whatever is going on.
    func close()
}

extension ClientHandler: ClientConnection {}
