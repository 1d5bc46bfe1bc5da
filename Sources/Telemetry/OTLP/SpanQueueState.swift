/// The spans that wait to be sent: when a batch is due, and what is dropped.
///
///     add … add  --(a full batch, or the oldest has waited)-->  a batch is out  --sent, or given up-->  add …
///
/// A value with no timers in it: the caller passes the present instant with every event. One batch is out at a time;
/// what comes while the queue is full is dropped, since those that wait are older and belong to traces that began.
public struct SpanQueueState: Equatable, Sendable {
    /// How much is kept, and for how long.
    public struct Limits: Equatable, Sendable {
        /// How many spans wait at most.
        public var mostSpans: Int
        /// How many are sent together at most.
        public var mostInBatch: Int
        /// How long a span waits for others.
        public var delay: Duration

        /// Numbers that make no sense are put right: at least one span, and no batch larger than the queue.
        public init(mostSpans: Int, mostInBatch: Int, delay: Duration) {
            self.mostSpans = max(1, mostSpans)
            self.mostInBatch = min(max(1, mostInBatch), self.mostSpans)
            self.delay = delay
        }

        /// How many spans are handed over together at most: small against a batch, so that a batch fills up.
        public var mostInBlock: Int { min(64, mostInBatch, max(1, mostSpans / 4)) }
    }

    private let limits: Limits
    private var blocks: [SpanBlock] = []
    /// When the first of the blocks came; nil when there is none.
    private var oldest: ContinuousClock.Instant?
    private var isBatchOut = false
    private var isEnding = false
    /// Spans that wait.
    public private(set) var count = 0
    /// Spans lost for whatever reason, since the start.
    public private(set) var droppedCount = 0

    /// An empty queue.
    public init(_ limits: Limits) {
        self.limits = limits
    }

    /// Spans have come.
    ///
    /// - Returns: whether a batch is due.
    public mutating func added(_ block: SpanBlock, at now: ContinuousClock.Instant) -> Bool {
        guard count + block.count <= limits.mostSpans else {
            droppedCount += block.count
            return isDue(at: now)
        }
        blocks.append(block)
        count += block.count
        oldest = oldest ?? now
        return isDue(at: now)
    }

    /// Whether a batch could be taken now.
    public func isDue(at now: ContinuousClock.Instant) -> Bool {
        guard !isBatchOut, let oldest else { return false }
        return isEnding || count >= limits.mostInBatch || now - oldest >= limits.delay
    }

    /// Takes the oldest spans, as many as a batch holds; empty when none is due.
    public mutating func batch(at now: ContinuousClock.Instant) -> [SpanBlock] {
        guard isDue(at: now) else { return [] }
        var spanCount = 0
        let taken = blocks.prefix { block in
            spanCount += block.count
            return spanCount <= limits.mostInBatch
        }
        // A block that is larger than a batch goes alone rather than never.
        let batch = taken.isEmpty ? Array(blocks.prefix(1)) : Array(taken)
        blocks.removeFirst(batch.count)
        count -= batch.reduce(0) { $0 + $1.count }
        // What stays came later than what goes, if only by a moment.
        oldest = blocks.isEmpty ? nil : now
        isBatchOut = true
        return batch
    }

    /// The batch was sent, or is given up.
    ///
    /// - Parameter lost: its spans that nobody took.
    public mutating func batchEnded(lost: Int) {
        isBatchOut = false
        droppedCount += lost
    }

    /// The process ends: from now on every batch is due.
    public mutating func ended() {
        isEnding = true
    }
}
