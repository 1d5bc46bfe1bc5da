/// A process among those that serve one after another: takes over from the one before, waits for the next.
final class Succession {
    private let path: TakeoverPath?
    private var predecessor: Predecessor?

    /// - Parameter path: the socket by which processes find each other; nil or empty for a process that stands alone.
    init(at path: String?) throws(TakeoverError) {
        self.path = if let path, !path.isEmpty { try TakeoverPath(path) } else { nil }
    }

    /// Opens the listeners, of the running process where there is one.
    ///
    /// - Parameter released: called when another process has taken over from this one.
    /// - Throws: ``TakeoverError``, or what the system said; the running process serves on then.
    func open(_ assembly: Assembly, released: @escaping @Sendable () -> Void) throws {
        guard let path else { return try assembly.listen() }
        let control =
            if var successor = try Successor(at: path) {
                try Self.takeOver(&successor, assembly)
            } else {
                try Self.begin(at: path, assembly)
            }
        predecessor = Predecessor(
            at: path,
            control: control,
            listeners: assembly.listeners,
            log: assembly.log,
            released: released
        )
        assembly.log.write(.info, "can be taken over", [("path", path.text)])
    }

    /// Waits for nobody any more.
    func end() {
        predecessor?.stop()
    }

    private static func takeOver(_ successor: inout Successor, _ assembly: Assembly) throws -> Descriptor {
        try assembly.listen(try successor.receiveListeners())
        let names = assembly.listeners.names
        let control = try successor.takeOver(names)
        let fields: [(StaticString, String)] = [
            ("from_pid", String(successor.predecessor)),
            ("listeners", names.map(\.name).joined(separator: ",")),
        ]
        assembly.log.write(.info, "took over", fields)
        return control
    }

    /// The socket comes after the listeners: of two that start at once only one gets so far.
    private static func begin(at path: TakeoverPath, _ assembly: Assembly) throws -> Descriptor {
        try assembly.listen()
        return try path.listen()
    }
}
