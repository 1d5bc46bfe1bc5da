internal import NIOCore
internal import Telemetry

/// Everything that lives on one event loop and is shared by its connections.
///
/// It belongs to that loop: a connection, its upstream connection, the figures they add to and the log they
/// write share a thread and need no lock.
final class LoopContext {
    /// How often time limits are looked at: coarse, so that a request starts no timer of its own.
    private static let tickInterval = TimeAmount.milliseconds(100)

    let eventLoop: any EventLoop
    let shared: SharedState
    /// The configuration in force for requests that start now.
    private(set) var snapshot: Snapshot
    var metrics: MetricsShard
    let phases: PhasePlaces
    var log: LogBuffer
    /// Nil without tracing.
    var spans: SpanBuffer?
    var bodyBytes = BodyBytes()
    var recentRequests = RecentRequests()
    var random = RequestIDs()
    var countAllowance = Allowance.counting
    var turnAllowance = Allowance.turns
    private var knownModels = KnownModels()
    let nextTurn: NextTurn
    /// The time of the last tick; near enough for limits of seconds, and free.
    private(set) var coarseNow = NIODeadline.now()
    private(set) var isDraining = false
    /// Whether a connection is closed that has no request.
    private(set) var closesIdleClients = false
    private var clients: [ObjectIdentifier: any ClientConnection] = [:]
    private var pools: [UpstreamPool.Key: UpstreamPool] = [:]
    private var roads: [ObjectIdentifier: RoadMeter] = [:]
    /// The pool used last: nearly every request goes where the one before it went.
    private var latestPool: (upstream: UpstreamReference, pool: UpstreamPool)?
    private var ticker: RepeatedTask?
    /// On one loop only.
    var probing: HopProbing?

    init(eventLoop: any EventLoop, shared: SharedState) {
        self.eventLoop = eventLoop
        self.shared = shared
        nextTurn = NextTurn(on: eventLoop)
        snapshot = shared.snapshot
        var metrics = MetricsShard()
        phases = PhasePlaces(in: &metrics)
        self.metrics = metrics
        log = LogBuffer(writer: shared.logWriter)
        spans = shared.spans.map { SpanBuffer($0) }
    }

    /// Starts looking at time limits.
    func start() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: Self.tickInterval, delay: Self.tickInterval) {
            _ in
            bound.value.tick()
        }
    }

    func stop() {
        ticker?.cancel()
        for pool in pools.values { pool.retire() }
        log.flush()
        spans?.flush()
    }

    /// Puts another configuration in force for the requests that start from now on.
    func adopt(_ snapshot: Snapshot) {
        self.snapshot = snapshot
        latestPool = nil
        knownModels = KnownModels()
        let configuration = snapshot.configuration
        let kept = Set(configuration.upstreams.values.map(UpstreamPool.Key.init))
        for (key, pool) in pools {
            if kept.contains(key) || configuration.egress.forwards(key) {
                pool.leave(allBut: key.hop.flatMap { configuration.egress.hops[$0] } ?? [])
            } else {
                pool.retire()
                pools[key] = nil
            }
        }
    }

    /// The connections to an upstream.
    func pool(for upstream: UpstreamReference) -> UpstreamPool {
        if let latestPool, latestPool.upstream === upstream { return latestPool.pool }
        let key = UpstreamPool.Key(upstream.settings)
        let pool = pools[key] ?? UpstreamPool(key, loop: self)
        pools[key] = pool
        latestPool = (upstream, pool)
        return pool
    }

    /// What a configuration says of a model.
    func model(_ name: String, of variant: Variant) -> KnownModel {
        knownModels.model(name, of: variant)
    }

    // MARK: - Connections

    var clientCount: Int { clients.count }

    func opened(_ client: any ClientConnection) {
        clients[ObjectIdentifier(client)] = client
    }

    func closed(_ client: any ClientConnection) {
        clients[ObjectIdentifier(client)] = nil
    }

    func roadOpened(_ road: RoadMeter) {
        roads[ObjectIdentifier(road)] = road
    }

    func roadClosed(_ road: RoadMeter) {
        roads[ObjectIdentifier(road)] = nil
    }

    /// Lets requests in flight end and closes connections that have none.
    ///
    /// - Parameter keepingIdle: whether those are kept until they have had one more.
    func drain(keepingIdle: Bool) {
        isDraining = true
        guard !keepingIdle else { return }
        closesIdleClients = true
        for client in clients.values { client.drain() }
    }

    /// Ends what is still open when the time for draining is over.
    func closeAll() {
        for client in clients.values { client.close() }
    }

    private func tick() {
        let now = NIODeadline.now()
        coarseNow = now
        for client in clients.values { client.tick(now: now) }
        for pool in pools.values { pool.sweep(now: now) }
        forgetEmptyPools()
        shared.memoryTrim.observe(bufferedBytes: shared.bufferedBytes.value)
        probing?.tick(now: now)
        log.flush()
        spans?.flush()
    }

    /// Forgets pools by a hop that hold nothing: clients of the egress listener name hosts without end.
    private func forgetEmptyPools() {
        for (key, pool) in pools where key.hop != nil && pool.isEmpty {
            pools[key] = nil
            latestPool = nil
        }
    }

    // MARK: - Figures

    /// This loop's share of the figures, with the gauges read off now.
    func figures() -> MetricsShard {
        for road in roads.values { road.report(to: &metrics) }
        var figures = metrics
        figures.set(.connectionsOpen, Self.clientSide, to: Double(clients.count))
        bodyBytes.add(to: &figures)
        let upstream = pools.values.reduce(0) { $0 + $1.connectionCount }
        figures.set(.connectionsOpen, Self.upstreamSide, to: Double(upstream))
        return figures
    }

    /// What is open on this loop now.
    var load: LoopLoad {
        LoopLoad(
            streams: Int(metrics.value(of: .streamsOpen)),
            upstreamConnections: pools.values.reduce(0) { $0 + $1.connectionCount }
        )
    }

    private static let clientSide = Labels(Label("client"))
    private static let upstreamSide = Labels(Label("upstream"))
}

@available(*, unavailable)
extension LoopContext: Sendable {}
