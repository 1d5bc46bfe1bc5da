internal import CSidecar
internal import Dispatch
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// A running sidecar: the one place where everything is constructed.
final class Assembly {
    private static let drainLimit = TimeAmount.seconds(30)

    private let loaded: LoadedConfiguration
    private let group: MultiThreadedEventLoopGroup
    private let shared: SharedState
    private let media: MediaSource
    let log: EventLog
    let reloader: Reloader
    private let loops: [NIOLoopBound<LoopContext>]
    private let isReady = Switch()
    private var listeners: [any Channel] = []

    /// - Parameters:
    ///   - loaded: what to serve by.
    ///   - environment: `SIDECAR_EXTRA_CA` names a PEM file whose certificates upstreams may also use,
    ///     `SIDECAR_ALLOW_ARM_HEADER=1` lets clients choose an experiment's arm.
    ///   - load: reads the configuration anew.
    init(_ loaded: LoadedConfiguration, environment: [String: String], load: @escaping Reloader.Load) throws {
        self.loaded = loaded
        let writer = LogWriter()
        log = EventLog(writer: writer)
        let extraCA = environment["SIDECAR_EXTRA_CA"]
        group = MultiThreadedEventLoopGroup(numberOfThreads: Processors.usable)
        let media = MediaSource(on: group, processors: Processors.usable, extraCA: extraCA, log: log)
        self.media = media
        let shared = SharedState(
            loaded.configuration,
            library: try media.library(for: loaded.configuration),
            tls: try UpstreamTLS(extraCA: extraCA),
            logWriter: writer,
            allowsForcedArm: ForcedArm.isAllowed(by: environment)
        )
        self.shared = shared
        let loops = try group.makeIterator().map { loop in
            try loop.submit {
                let context = LoopContext(eventLoop: loop, shared: shared)
                context.start()
                return NIOLoopBound(context, eventLoop: loop)
            }.wait()
        }
        self.loops = loops
        if let first = loops.first {
            first.eventLoop.execute { first.value.probing = HopProbing(on: first.value) }
        }
        reloader = Reloader(loaded, log: log, load: load) { configuration throws(ConfigurationError) in
            let snapshot = shared.adopt(configuration, try media.library(for: configuration))
            for loop in loops { loop.eventLoop.execute { loop.value.adopt(snapshot) } }
        }
    }

    /// Opens every listener that the configuration names.
    func listen() throws {
        let listen = loaded.configuration.listen
        // The admin listener comes first, so that readiness can be asked for while the others open.
        if let admin = listen.admin { try open(admin) }
        for listener in [listen.gateway, listen.dify].compactMap({ $0 }) { try open(listener) }
        if let egress = listen.egress { try open(egress) }
        reloader.startWatching()
        warnOfLittleMemory()
        isReady.set()
        sidecar_release_startup_pages()
        log.write(.info, "ready", [("config_hash", loaded.configuration.hash)])
    }

    /// Bodies that together take what the system does not give would end the process.
    private func warnOfLittleMemory() {
        let bytes = loaded.configuration.limits.maxBufferedBytes
        guard let limit = SystemMemory.limit, bytes > limit / 2 else { return }
        log.write(
            .warning,
            "limits.maxBufferedBytes (\(bytes)) is more than half of the memory that the process may have (\(limit))",
            [("remedy", "lower limits.maxBufferedBytes, or give the process more memory")]
        )
    }

    private func open(_ listener: ProxyListener) throws {
        let identity = ListenerIdentity(listener.name)
        let channel = try serve(listener.address, reading: Buffers.ofRequests) {
            ClientHandler(loop: $0, listener: identity)
        }
        opened(channel, name: listener.name.rawValue, upstream: listener.upstream)
        if listener.name == .gateway, let port = channel.localAddress?.port {
            media.gatewayListens(on: port, loaded.configuration)
        }
    }

    private func open(_ egress: EgressListener) throws {
        let identity = ListenerIdentity(.egress)
        let channel = try serve(egress.address, reading: Buffers.ofTunnels) {
            ForwardHandler(loop: $0, listener: identity, credentials: egress.credentials)
        }
        opened(channel, name: identity.name.rawValue, upstream: "")
        if egress.credentials == nil, !egress.address.isLoopback {
            log.write(
                .warning,
                "the egress listener is open to other machines and asks nobody who they are",
                [("remedy", "set listen.egress.credentials, or listen on 127.0.0.1")]
            )
        }
    }

    /// Listens, and gives each connection a handler that lives with its event loop.
    private func serve(
        _ address: ListenAddress,
        reading: Buffers.Reading,
        _ handler: @escaping @Sendable (LoopContext) -> any ChannelHandler
    ) throws -> any Channel {
        let contexts = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.eventLoop), $0) })
        return try bootstrap(reading: reading)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let context = contexts[ObjectIdentifier(channel.eventLoop)] else { return }
                    try channel.pipeline.syncOperations.addHandler(handler(context.value))
                }
            }
            .bind(host: address.host, port: address.port).wait()
    }

    private func open(_ admin: AdminListener) throws {
        let pages = AdminPages(
            shared: shared,
            token: admin.token,
            loops: loops,
            reloader: reloader,
            isReady: isReady
        )
        let maxBodyBytes = loaded.configuration.limits.maxBodyBytes
        let channel = try bootstrap(reading: Buffers.ofQuestions)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(
                        AdminHandler(pages: pages, maxBodyBytes: maxBodyBytes)
                    )
                }
            }
            .bind(host: admin.address.host, port: admin.address.port).wait()
        opened(channel, name: "admin", upstream: "")
    }

    private func bootstrap(reading: Buffers.Reading) -> ServerBootstrap {
        let log = log
        return ServerBootstrap(group: group)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(log: log))
                }
            }
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: reading.messages)
            .childChannelOption(.recvAllocator, value: reading.allocator)
            // A client that has sent everything may close its half and still gets its answer.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
    }

    private func opened(_ channel: any Channel, name: String, upstream: String) {
        listeners.append(channel)
        let address = channel.localAddress.map { "\($0.ipAddress ?? ""):\($0.port ?? 0)" } ?? ""
        log.write(.info, "listening", [("listener", name), ("address", address), ("upstream", upstream)])
    }

    // MARK: - The end

    /// Stops accepting, lets requests in flight end, and returns when they have, or after 30 s.
    func drain() {
        log.write(.info, "draining")
        shared.isDraining.set()
        reloader.stopWatching()
        // The admin listener stays, so that readiness can say why; it is closed with the loops.
        let adminPort = loaded.configuration.listen.admin?.address.port
        for listener in listeners where adminPort == nil || listener !== listeners.first {
            try? listener.close().wait()
        }
        for loop in loops { loop.eventLoop.execute { loop.value.drain() } }
        let deadline = NIODeadline.now() + Self.drainLimit
        while shared.connections.value > 0, NIODeadline.now() < deadline { usleep(20_000) }
        for loop in loops {
            try? loop.eventLoop.submit {
                loop.value.closeAll()
                loop.value.stop()
            }.wait()
        }
        log.write(.info, "stopped", [("connections_cut", String(shared.connections.value))])
        media.stop()
        shared.logWriter.flush()
        try? group.syncShutdownGracefully()
    }
}

/// The processors that this process may use.
enum Processors {
    /// The smaller of the affinity mask and the control group's quota.
    static var usable: Int {
        let allowed = Int(sidecar_allowed_processors())
        return max(1, allowed > 0 ? min(allowed, System.coreCount) : System.coreCount)
    }
}

/// Whether clients may choose an experiment's arm: for tests of one arm.
enum ForcedArm {
    static func isAllowed(by environment: [String: String]) -> Bool {
        environment["SIDECAR_ALLOW_ARM_HEADER"] == "1"
    }
}
