internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The sockets that connections are accepted at.
final class OpenListeners: Sendable {
    private struct Entry: Sendable {
        let name: ListenerName
        let channel: any Channel
    }

    private let group: MultiThreadedEventLoopGroup
    private let entries: Mutex<[Entry]> = Mutex([])

    /// - Parameter group: the event loops that connections are given to.
    init(group: MultiThreadedEventLoopGroup) {
        self.group = group
    }

    var names: [ListenerName] { entries.withLock { $0.map(\.name) } }

    func add(_ channel: any Channel, _ name: ListenerName) {
        entries.withLock { $0.append(Entry(name: name, channel: channel)) }
    }

    /// Descriptors of their own for the sockets, for another process.
    func offered() -> [(name: ListenerName, descriptor: Descriptor)] {
        entries.withLock { $0 }.compactMap { entry in
            let number = try? entry.channel.eventLoop.submit {
                try entry.channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                    of: NIOBSDSocket.Handle.self
                ) { Descriptor.duplicate($0) }
            }.wait()
            guard let number, number >= 0 else { return nil }
            return (entry.name, Descriptor(owning: number))
        }
    }

    /// Stops accepting at some of them, and returns when every connection accepted before lives on its event loop.
    ///
    /// Closing the socket alone would break off those that are on their way there. What the system has not given to
    /// this process stays in the socket's queue, for another process that has the socket too.
    func close(where isChosen: (ListenerName) -> Bool) {
        let chosen = entries.withLock { entries in
            defer { entries.removeAll { isChosen($0.name) } }
            return entries.filter { isChosen($0.name) }
        }
        for entry in chosen { try? entry.channel.setOption(.autoRead, value: false).wait() }
        // From the listener's loop to the connection's, back to the listener's, and again to its own.
        for _ in 0..<2 { settle(chosen) }
        for entry in chosen { try? entry.channel.close().wait() }
    }

    private func settle(_ chosen: [Entry]) {
        for loop in group.makeIterator() { try? loop.submit {}.wait() }
        for entry in chosen { try? entry.channel.eventLoop.submit {}.wait() }
    }
}
