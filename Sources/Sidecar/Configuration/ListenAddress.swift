import Glibc

/// Where a listener binds.
struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or an IP address, an IPv6 address without its brackets.
    var host: String
    /// 0 asks the system for any free port.
    var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port`, an IPv6 address in brackets; nil for anything else.
    init?(_ text: String) {
        guard let (host, port) = HostName.split(text[...]), let port = port.flatMap(HostName.port) else {
            return nil
        }
        self.init(host: host, port: port)
    }

    var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Whether only this machine can reach it.
    var isLoopback: Bool {
        host.lowercased() == "localhost" || host == "::1"
            || (host.hasPrefix("127.") && HostName.isAddress(host, family: AF_INET))
    }

    /// Whether binding the one keeps the other from being bound.
    func collides(with other: Self) -> Bool {
        port != 0 && port == other.port && (host == other.host || isWildcard || other.isWildcard)
    }

    /// Where this machine itself reaches what listens here.
    var fromHere: Self {
        isWildcard ? ListenAddress(host: "127.0.0.1", port: port) : self
    }

    private var isWildcard: Bool {
        host == "0.0.0.0" || host == "::"
    }
}
