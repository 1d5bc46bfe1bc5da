internal import CSidecar
internal import Dispatch
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// A running sidecar: the one place where everything is constructed.
final class Assembly {
    /// Connections that the system keeps for a listener until they are accepted.
    private static let backlog: CInt = 4096

    private let loaded: LoadedConfiguration
    private let group: MultiThreadedEventLoopGroup
    private let shared: SharedState
    private let spans: SpanPipeline?
    private let media: MediaSource
    let log: EventLog
    let reloader: Reloader
    private let loops: [NIOLoopBound<LoopContext>]
    private let isReady = Switch()
    let listeners: OpenListeners

    /// - Parameters:
    ///   - loaded: what to serve by.
    ///   - environment: `SIDECAR_EXTRA_CA` names a PEM file whose certificates upstreams may also use,
    ///     `SIDECAR_ALLOW_ARM_HEADER=1` lets clients choose an experiment's arm, `OTEL_…` say where spans go.
    ///   - load: reads the configuration anew.
    init(_ loaded: LoadedConfiguration, environment: [String: String], load: @escaping Reloader.Load) throws {
        self.loaded = loaded
        let writer = LogWriter()
        log = EventLog(writer: writer)
        let extraCA = environment["SIDECAR_EXTRA_CA"]
        group = MultiThreadedEventLoopGroup(numberOfThreads: Processors.usable)
        listeners = OpenListeners(group: group)
        spans = SpanPipeline.asked(for: environment, on: group, extraCA: extraCA, log: log)
        let media = MediaSource(
            on: group,
            processors: Processors.usable,
            extraCA: extraCA,
            tracer: spans.map { SpanTracer(pipeline: $0) },
            log: log
        )
        self.media = media
        let shared = SharedState(
            loaded.configuration,
            library: try media.library(for: loaded.configuration),
            tls: try UpstreamTLS(extraCA: extraCA),
            logWriter: writer,
            spans: spans,
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
    ///
    /// What is bound comes before what another process accepts at too: a connection that is accepted here ends with
    /// this process, should the other be impossible.
    ///
    /// - Parameter inherited: sockets of another process, which are not bound again.
    func listen(_ inherited: InheritedListeners = InheritedListeners()) throws {
        var inherited = inherited
        let openings = openings
        // The admin listener comes first, so that readiness can be asked for while the others open.
        for opening in openings where !inherited.hasSocket(for: opening.name) { try opening.open(nil) }
        reloader.startWatching()
        SystemMemory.warn(about: loaded.configuration.limits, log)
        isReady.set()
        // And last where another process answers there: that one is ready.
        for opening in openings.reversed() {
            if let socket = inherited.take(for: opening.name) { try opening.open(socket) }
        }
        sidecar_release_startup_pages()
        log.write(.info, "ready", [("config_hash", loaded.configuration.hash)])
    }

    /// A listener, and how to open it: at an address of its own, or at a socket that listens there already.
    private typealias Opening = (name: ListenerName, open: (Descriptor?) throws -> Void)

    private var openings: [Opening] {
        let listen = loaded.configuration.listen
        var openings: [Opening] = []
        if let admin = listen.admin {
            let name = ListenerName("admin", admin.address)
            openings.append((name, { try self.open(admin, name, $0) }))
        }
        for proxy in listen.proxies {
            let name = ListenerName(proxy.name.rawValue, proxy.address)
            openings.append((name, { try self.open(proxy, name, $0) }))
        }
        if let egress = listen.egress {
            let name = ListenerName("egress", egress.address)
            openings.append((name, { try self.open(egress, name, $0) }))
        }
        return openings
    }

    private func open(_ listener: ProxyListener, _ name: ListenerName, _ socket: Descriptor?) throws {
        let identity = ListenerIdentity(listener.name)
        let bootstrap = bootstrap(reading: Buffers.ofRequests) { ClientHandler(loop: $0, listener: identity) }
        let channel = try bind(bootstrap, listener.address, socket)
        opened(channel, name, upstream: listener.upstream)
        if listener.name == .gateway, let port = channel.localAddress?.port {
            media.gatewayListens(on: port, loaded.configuration)
        }
    }

    private func open(_ egress: EgressListener, _ name: ListenerName, _ socket: Descriptor?) throws {
        let identity = ListenerIdentity(.egress)
        let bootstrap = bootstrap(reading: Buffers.ofTunnels) {
            ForwardHandler(loop: $0, listener: identity, credentials: egress.credentials)
        }
        opened(try bind(bootstrap, egress.address, socket), name, upstream: "")
        if egress.credentials == nil, !egress.address.isLoopback {
            log.write(
                .warning,
                "the egress listener is open to other machines and asks nobody who they are",
                [("remedy", "set listen.egress.credentials, or listen on 127.0.0.1")]
            )
        }
    }

    /// Gives each connection a handler that lives with its event loop.
    private func bootstrap(
        reading: Buffers.Reading,
        _ handler: @escaping @Sendable (LoopContext) -> any ChannelHandler
    ) -> ServerBootstrap {
        let contexts = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.eventLoop), $0) })
        return bootstrap(reading: reading)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let context = contexts[ObjectIdentifier(channel.eventLoop)] else { return }
                    try channel.pipeline.syncOperations.addHandler(handler(context.value))
                }
            }
    }

    /// Listens at an address, or at a socket that listens there already.
    private func bind(
        _ bootstrap: ServerBootstrap,
        _ address: ListenAddress,
        _ inherited: Descriptor?
    ) throws -> any Channel {
        guard let inherited else { return try bootstrap.bind(host: address.host, port: address.port).wait() }
        let number = Descriptor.duplicate(inherited.number)
        guard number >= 0 else { throw TakeoverError.system("cannot take over", address.description) }
        let channel = try bootstrap.withBoundSocket(number).wait()
        // NIO has shortened the queue to a length of its own.
        guard Glibc.listen(inherited.number, Self.backlog) == 0 else {
            throw TakeoverError.system("cannot listen at", address.description)
        }
        return channel
    }

    private func open(_ admin: AdminListener, _ name: ListenerName, _ socket: Descriptor?) throws {
        let pages = AdminPages(
            shared: shared,
            token: admin.token,
            loops: loops,
            reloader: reloader,
            isReady: isReady
        )
        let maxBodyBytes = loaded.configuration.limits.maxBodyBytes
        let bootstrap = bootstrap(reading: Buffers.ofQuestions)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(
                        AdminHandler(pages: pages, maxBodyBytes: maxBodyBytes)
                    )
                }
            }
        opened(try bind(bootstrap, admin.address, socket), name, upstream: "")
    }

    private func bootstrap(reading: Buffers.Reading) -> ServerBootstrap {
        let log = log
        return ServerBootstrap(group: group)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(log: log))
                }
            }
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: reading.messages)
            .childChannelOption(.recvAllocator, value: reading.allocator)
            // A client that has sent everything may close its half and still gets its answer.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
    }

    private func opened(_ channel: any Channel, _ name: ListenerName, upstream: String) {
        listeners.add(channel, name)
        let address = channel.localAddress.map { "\($0.ipAddress ?? ""):\($0.port ?? 0)" } ?? ""
        log.write(
            .info,
            "listening",
            [("listener", name.name), ("address", address), ("upstream", upstream)]
        )
    }

    // MARK: - The end

    /// Stops accepting, lets requests in flight end, and returns when they have, or when the time is over.
    ///
    /// - Parameters:
    ///   - isHandedOver: whether another process accepts connections in place of this one. Then clients between two
    ///     requests keep their connection until they have asked once more: there is no hurry, and closing it could
    ///     cross with a request.
    ///   - limit: how long requests in flight have.
    func drain(isHandedOver: Bool, limit: TimeAmount) {
        log.write(.info, "draining")
        shared.isDraining.set()
        reloader.stopWatching()
        // The admin listener stays, so that readiness can say why; it is closed with the loops.
        listeners.close { $0.name != "admin" }
        for loop in loops { loop.eventLoop.execute { loop.value.drain(keepingIdle: isHandedOver) } }
        let deadline = NIODeadline.now() + limit
        while shared.connections.value > 0, NIODeadline.now() < deadline { usleep(20_000) }
        let cut = shared.connections.value
        for loop in loops {
            try? loop.eventLoop.submit {
                loop.value.closeAll()
                loop.value.stop()
            }.wait()
        }
        log.write(.info, "stopped", [("connections_cut", String(cut))])
        media.stop()
        spans?.stop()
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
