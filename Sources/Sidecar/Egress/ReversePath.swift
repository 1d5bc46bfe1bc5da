internal import Egress
internal import NIOCore
internal import Wire

/// What the egress listener makes of a request for `/to/HOST[:PORT]/path`: a request to that host, by its hop.
struct ReversePath {
    /// Put before every host.
    private static let prefix = Array("/to/".utf8)
    /// More is no host (RFC 1035, section 2.3.4), and is not logged.
    private static let longestHost = 260

    /// As the client wrote it, for the log; nil where there is none.
    let host: String?
    /// What the host gets as its request target, without a slash where it has none.
    let target: Range<Int>
    /// Nil where nobody may ask for it.
    let upstream: UpstreamReference?

    init(_ head: RequestHead, _ bytes: ByteBuffer, _ settings: EgressSettings) {
        let (host, target) = bytes.withUnsafeReadableBytes { Self.split(head, $0) }
        self.host = host
        self.target = target
        upstream = host.flatMap { Self.upstream($0, settings) }
    }

    private static func split(
        _ head: RequestHead,
        _ raw: UnsafeRawBufferPointer
    ) -> (host: String?, target: Range<Int>) {
        // An absolute form names a host of its own; which of the two is meant is nobody's to guess.
        guard head.target.lowerBound == head.method.upperBound + 1,
            raw.slice(head.target).starts(with: prefix)
        else { return (nil, head.target) }
        let start = head.target.lowerBound + prefix.count
        let end = raw.slice(start..<head.target.upperBound).firstIndex { $0 == 0x2F || $0 == 0x3F }
        let target = (end.map { start + $0 } ?? head.target.upperBound)..<head.target.upperBound
        guard target.lowerBound - start <= longestHost else { return (nil, target) }
        return (String(decoding: raw.slice(start..<target.lowerBound), as: UTF8.self), target)
    }

    private static func upstream(_ authority: String, _ settings: EgressSettings) -> UpstreamReference? {
        guard let (host, port) = ForwardHost.authority(authority, defaultPort: ForwardHost.defaultPort),
            let route = settings.route(to: host, port: port)
        else { return nil }
        let url = UpstreamURL(isTLS: true, host: route.destination.host, port: port)
        return UpstreamReference(
            Upstream(
                name: "egress",
                kind: .openai,
                url: url,
                hop: route.hop,
                allowsPrivate: route.allowsPrivate
            )
        )
    }
}

extension EgressSettings {
    /// Whether connections of the reverse path may still be used.
    func forwards(_ key: UpstreamPool.Key) -> Bool {
        guard let hop = key.hop, let route = route(to: key.url.host, port: key.url.port) else { return false }
        return route.hop == hop && route.allowsPrivate == key.allowsPrivate
    }
}
