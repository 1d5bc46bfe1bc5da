internal import AsyncHTTPClient
internal import Dispatch
internal import NIOCore
internal import Synchronization
internal import Telemetry

/// Takes the spans of all threads and has them sent, batch after batch, by a task of its own.
///
/// Whoever adds spans never waits for the receiver: what does not fit into the queue is dropped and counted.
final class SpanPipeline: Sendable {
    /// Less than the ten seconds after which container engines stop asking.
    private static let lastWait = DispatchTimeInterval.seconds(5)

    let sampler: TraceSampler
    let limits: SpanQueueState.Limits
    private let queue: Mutex<SpanQueueState>
    private let exporter: SpanExporter
    private let wake: AsyncStream<Void>.Continuation
    private let isEnding: Switch
    private let hasEnded = DispatchSemaphore(value: 0)
    private let task: Mutex<Task<Void, Never>?> = Mutex(nil)

    /// Starts sending.
    ///
    /// - Parameter http: shut down at the end of the pipeline.
    init(_ settings: TraceSettings, http: HTTPClient, log: EventLog) {
        sampler = settings.sampler
        limits = settings.limits
        queue = Mutex(SpanQueueState(settings.limits))
        let isEnding = Switch()
        self.isEnding = isEnding
        exporter = SpanExporter(settings, http: http, log: log, isEnding: isEnding)
        let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.wake = wake
        let sending = Task { [self] in
            for await _ in wakes { await sendDue() }
            await sendDue()
            hasEnded.signal()
        }
        task.withLock { $0 = sending }
    }

    /// Spans lost so far.
    var droppedCount: Int { queue.withLock { $0.droppedCount } }

    func add(_ block: SpanBlock) {
        let now = ContinuousClock.now
        if queue.withLock({ $0.added(block, at: now) }) { wake.yield() }
    }

    /// Time has passed.
    func tick() {
        let now = ContinuousClock.now
        if queue.withLock({ $0.isDue(at: now) }) { wake.yield() }
    }

    private func sendDue() async {
        while true {
            let batch = queue.withLock { $0.batch(at: .now) }
            guard !batch.isEmpty else { return }
            let lost = await exporter.send(batch)
            queue.withLock { $0.batchEnded(lost: lost) }
        }
    }

    /// Sends what there is, for a few seconds at most, and ends.
    func stop() {
        queue.withLock { $0.ended() }
        isEnding.set()
        wake.finish()
        if hasEnded.wait(timeout: .now() + Self.lastWait) == .timedOut {
            task.withLock { $0?.cancel() }
        }
        exporter.stop()
    }
}

extension SpanPipeline {
    /// The pipeline that the environment asks for; nil where it asks for none.
    static func asked(
        for environment: [String: String],
        on group: any EventLoopGroup,
        extraCA: String?,
        log: EventLog
    ) -> SpanPipeline? {
        let reading = TraceSettings.Reading(environment: environment)
        for problem in reading.problems {
            log.write(.warning, "a tracing variable is not obeyed", [("problem", problem)])
        }
        guard let settings = reading.settings else { return nil }
        let http = SpanExporter.httpClient(for: settings, on: group, extraCA: extraCA)
        return SpanPipeline(settings, http: http, log: log)
    }
}
