internal import Egress
internal import Policies
internal import Synchronization

/// What the event loops share: each member is one value behind one lock or an atomic.
final class SharedState: Sendable {
    private let snapshotInForce: Mutex<Snapshot>
    let tls: UpstreamTLS
    /// Opens connections by the rungs of hops.
    let connector: Connector
    let hops: Hops
    let logWriter: LogWriter
    /// Nil without tracing.
    let spans: SpanPipeline?
    let memory = RouteMemory()
    let counts = CountMemory()
    let receipts = Receipts()
    let prefixes = PrefixMemory()
    let vouching = Vouching()
    /// Whether `x-sidecar-arm` is obeyed.
    let allowsForcedArm: Bool
    /// Client connections of all loops.
    let connections = Gauge()
    /// Bytes of request bodies that are held in memory.
    let bufferedBytes = Gauge()
    let bodyRoom = BodyRoom()
    let listedModels = ListedModels()
    let spareBuffers: SpareBuffers
    let memoryTrim: MemoryTrim
    /// Whether the process has been told to stop.
    let isDraining = Switch()

    init(
        _ configuration: Configuration,
        library: MediaLibrary? = nil,
        tls: UpstreamTLS,
        logWriter: LogWriter,
        spans: SpanPipeline? = nil,
        allowsForcedArm: Bool
    ) {
        snapshotInForce = Mutex(Snapshot(configuration, library: library, listed: listedModels))
        self.tls = tls
        connector = Connector(proxyTLS: tls.toProxies)
        hops = Hops(configuration)
        self.logWriter = logWriter
        self.spans = spans
        spareBuffers = SpareBuffers(bodiesTake: configuration.limits.maxBufferedBytes)
        memoryTrim = MemoryTrim(spareBuffers)
        self.allowsForcedArm = allowsForcedArm
    }

    /// The configuration in force for those that ask from outside the event loops, each of which has its own copy.
    var snapshot: Snapshot { snapshotInForce.withLock { $0 } }

    func decisionContext(_ snapshot: Snapshot) -> Decision.Context {
        .init(snapshot: snapshot, memory: memory, counts: counts, allowsForcedArm: allowsForcedArm)
    }

    /// Compiles a configuration and puts it in force; what is remembered of the past stays.
    func adopt(_ configuration: Configuration, _ library: MediaLibrary?) -> Snapshot {
        let snapshot = Snapshot(configuration, library: library, listed: listedModels)
        snapshotInForce.withLock { $0 = snapshot }
        memory.breakers.apply(configuration.policies.breaker)
        hops.adopt(configuration)
        return snapshot
    }
}

/// A number that goes up and down on several threads.
final class Gauge: Sendable {
    private let number = Atomic<Int>(0)

    var value: Int { number.load(ordering: .relaxed) }

    /// Adds and returns the new value.
    @discardableResult
    func increment(by amount: Int = 1) -> Int {
        number.wrappingAdd(amount, ordering: .relaxed).newValue
    }

    func set(to value: Int) {
        number.store(value, ordering: .relaxed)
    }

    func decrement(by amount: Int = 1) {
        number.wrappingSubtract(amount, ordering: .relaxed)
    }
}

/// A switch that is turned on once.
final class Switch: Sendable {
    private let isOn = Atomic<Bool>(false)

    var value: Bool { isOn.load(ordering: .relaxed) }

    func set(_ value: Bool = true) {
        isOn.store(value, ordering: .relaxed)
    }
}
