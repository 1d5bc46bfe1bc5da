internal import Synchronization

/// What the event loops share: each member is one value behind one lock or an atomic.
final class SharedState: Sendable {
    let tls: UpstreamTLS
    let logWriter: LogWriter
    let breakers: Breakers
    /// Client connections of all loops.
    let connections = Gauge()
    /// Bytes of request bodies that are held in memory.
    let bufferedBytes = Gauge()
    let listedModels = ListedModels()
    let memoryTrim = MemoryTrim()
    /// Whether the process has been told to stop.
    let isDraining = Switch()

    init(tls: UpstreamTLS, logWriter: LogWriter, breakers: Breakers) {
        self.tls = tls
        self.logWriter = logWriter
        self.breakers = breakers
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

    func decrement(by amount: Int = 1) {
        number.wrappingSubtract(amount, ordering: .relaxed)
    }
}

/// A switch that is turned on once.
final class Switch: Sendable {
    private let isOn = Atomic<Bool>(false)

    var value: Bool { isOn.load(ordering: .relaxed) }

    func set() {
        isOn.store(true, ordering: .relaxed)
    }
}
