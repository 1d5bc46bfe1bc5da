internal import NIOCore
internal import NIOSSL

/// TLS to upstreams: verified against the system's roots and, if one is named, a further file.
struct UpstreamTLS: Sendable {
    private let context: NIOSSLContext
    /// The same trust for proxies, whose links say what is spoken there.
    let toProxies: TLSConfiguration

    /// - Parameter extraCA: path of a PEM file with further trusted certificates.
    /// - Throws: when the file cannot be read as PEM.
    init(extraCA: String?) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        configuration.minimumTLSVersion = .tlsv12
        if let extraCA { configuration.additionalTrustRoots = [.file(extraCA)] }
        context = try NIOSSLContext(configuration: configuration)
        configuration.applicationProtocols = []
        // With one direction left open NIOSSL takes no word of the other side for the end.
        configuration.shutdownTimeout = .seconds(1)
        toProxies = configuration
    }

    /// A handler for one connection; the host is verified and sent as SNI unless it is an IP address.
    func handler(for host: String) throws -> NIOSSLClientHandler {
        do {
            return try NIOSSLClientHandler(context: context, serverHostname: host)
        } catch let error as NIOSSLExtraError where error == .cannotUseIPAddressInSNI {
            return try NIOSSLClientHandler(context: context, serverHostname: nil)
        }
    }
}
