internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// The TLS contexts for proxies, one for each list of protocols that links offer.
///
/// Making one reads the trusted certificates from disk, so it happens once, and on a thread that may wait.
final class ProxyTLSContexts: Sendable {
    private let configuration: TLSConfiguration
    private let contexts = Mutex<[[String]: NIOSSLContext]>([:])

    init(_ configuration: TLSConfiguration) {
        self.configuration = configuration
    }

    /// A context that offers these protocols and is otherwise as configured.
    func context(offering protocols: [String], on loop: any EventLoop) -> EventLoopFuture<NIOSSLContext> {
        if let context = contexts.withLock({ $0[protocols] }) { return loop.makeSucceededFuture(context) }
        return NIOThreadPool.singleton.runIfActive(eventLoop: loop) { [self] in
            var configuration = configuration
            configuration.applicationProtocols = protocols
            let context = try NIOSSLContext(configuration: configuration)
            return contexts.withLock {
                let winner = $0[protocols] ?? context
                $0[protocols] = winner
                return winner
            }
        }
    }
}
