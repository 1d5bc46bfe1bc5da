internal import CSidecar

/// A listening socket, as two processes speak of it.
struct ListenerName: Hashable, Sendable {
    /// `gateway`, `dify`, `egress` or `admin`.
    var name: String
    /// The address in the configuration: the port may be 0 there.
    var address: String
}

extension ListenerName {
    init(_ name: String, _ address: ListenAddress) {
        self.init(name: name, address: address.description)
    }
}

/// What two processes say to each other when one takes the listening sockets of the other over.
///
///     successor                 predecessor
///     hello          ------->
///                    <-------   offer, with a descriptor for each listener, and one for the socket itself
///     ready          ------->
///                    <-------   done
///
/// A message is a packet of text: a line with the version and the kind, then a line for each item.
///
///     sidecar-takeover/1 offer
///     gateway 0.0.0.0:4100
enum TakeoverMessage: Equatable, Sendable {
    /// What this build speaks; grows with every change of the messages.
    static let version = 1
    /// Longer messages are refused unread.
    static let mostBytes = 4_096
    /// One descriptor of a message is that of the socket that the two talk over.
    static let mostListeners = Int(SIDECAR_MOST_DESCRIPTORS) - 1

    case hello(version: Int)
    case offer([ListenerName])
    /// The successor accepts connections at these.
    case ready([ListenerName])
    /// The predecessor accepts none any more.
    case done
    /// The predecessor goes on as before.
    case refused(reason: String)

    /// The message as it is sent.
    var bytes: [UInt8] {
        switch self {
        case .hello(let version): Self.written("hello", [], version)
        case .offer(let listeners): Self.written("offer", listeners.map(Self.line))
        case .ready(let listeners): Self.written("ready", listeners.map(Self.line))
        case .done: Self.written("done", [])
        case .refused(let reason): Self.written("refused", [reason])
        }
    }

    /// Reads a message; nil for anything that ``bytes`` does not write, but for greetings of other versions.
    init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count <= Self.mostBytes, bytes.allSatisfy({ $0 == 0x0A || (0x20...0x7E).contains($0) })
        else {
            return nil
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        guard let head = lines.first, let (version, kind) = Self.head(head) else { return nil }
        self.init(kind, version, lines.dropFirst())
    }

    private init?(_ kind: Substring, _ version: Int, _ items: ArraySlice<Substring>) {
        // Whatever else another version says behind its greeting.
        if kind == "hello" {
            self = .hello(version: version)
            return
        }
        guard version == Self.version else { return nil }
        switch (kind, items.count) {
        case ("offer", _), ("ready", _):
            guard let listeners = Self.listeners(items) else { return nil }
            self = kind == "offer" ? .offer(listeners) : .ready(listeners)
        case ("done", 0): self = .done
        case ("refused", 1): self = .refused(reason: items.joined())
        default: return nil
        }
    }

    // MARK: - Lines

    private static let prefix = "sidecar-takeover/"

    private static func written(_ kind: String, _ items: [String], _ version: Int = version) -> [UInt8] {
        Array((["\(prefix)\(version) \(kind)"] + items).joined(separator: "\n").utf8)
    }

    private static func head(_ line: Substring) -> (version: Int, kind: Substring)? {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, words[0].hasPrefix(prefix),
            let version = Int(words[0].dropFirst(prefix.count)), version > 0,
            "\(prefix)\(version)" == words[0]
        else { return nil }
        return (version, words[1])
    }

    private static func line(_ listener: ListenerName) -> String {
        "\(listener.name) \(listener.address)"
    }

    /// Nil when one is not two words, is there twice, or when they are too many.
    private static func listeners(_ lines: ArraySlice<Substring>) -> [ListenerName]? {
        let listeners = lines.compactMap { line -> ListenerName? in
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 2, !words[0].isEmpty, !words[1].isEmpty else { return nil }
            return ListenerName(name: String(words[0]), address: String(words[1]))
        }
        guard listeners.count == lines.count, listeners.count <= mostListeners,
            Set(listeners.map(\.name)).count == listeners.count
        else { return nil }
        return listeners
    }
}
