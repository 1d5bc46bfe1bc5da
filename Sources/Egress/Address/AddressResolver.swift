internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Resolves a name for one connection, and leaves out addresses that it must not lead to.
///
/// The connection is made to exactly the addresses that were looked at here: asking twice, once to check and once to
/// connect, would let a name server answer differently (DNS rebinding).
final class AddressResolver: Resolver, Sendable {
    private let loop: any EventLoop
    private let allowsPrivate: Bool
    private let hasRefused = Mutex(false)

    init(on loop: any EventLoop, allowsPrivate: Bool) {
        self.loop = loop
        self.allowsPrivate = allowsPrivate
    }

    /// Why there was nothing to connect to, if that was for the addresses' kind.
    var fault: RoadFault? { hasRefused.withLock { $0 } ? .privateAddress : nil }

    /// Whether a connection to the address may be made.
    func admits(_ address: SocketAddress) -> Bool {
        allowsPrivate || !AddressRule.isPrivate(address)
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        query(host, port, family: AF_INET)
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        query(host, port, family: AF_INET6)
    }

    func cancelQueries() {
        // The system's resolver cannot be interrupted; its answer is dropped by who asked.
    }

    /// A lookup blocks for as long as name servers are silent: nobody else's work may wait behind it.
    private static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
        return threads
    }()

    private func query(_ host: String, _ port: Int, family: CInt) -> EventLoopFuture<[SocketAddress]> {
        Self.threads.runIfActive(eventLoop: loop) { try Self.lookUp(host, port, family: family) }
            .map { [self] addresses in
                let admitted = addresses.filter(admits)
                if admitted.isEmpty, !addresses.isEmpty { hasRefused.withLock { $0 = true } }
                return admitted
            }
    }

    /// Asks the system, which blocks.
    private static func lookUp(_ host: String, _ port: Int, family: CInt) throws(RoadFault) -> [SocketAddress]
    {
        var hints = addrinfo()
        hints.ai_family = family
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_protocol = CInt(IPPROTO_TCP)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0 else { throw .unresolved }
        defer { freeaddrinfo(found) }
        return sequence(first: found, next: { $0?.pointee.ai_next }).prefix { $0 != nil }.compactMap { $0 }
            .compactMap { address($0.pointee) }
    }

    private static func address(_ info: addrinfo) -> SocketAddress? {
        guard let raw = UnsafeRawPointer(info.ai_addr) else { return nil }
        switch info.ai_family {
        case AF_INET: return SocketAddress(raw.load(as: sockaddr_in.self))
        case AF_INET6: return SocketAddress(raw.load(as: sockaddr_in6.self))
        default: return nil
        }
    }
}
