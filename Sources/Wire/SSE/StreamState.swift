/// What the events of a streamed answer have come to.
struct StreamState: Sendable {
    var hasEndEvent = false
    var hasFinish = false
    var sawDelta = false
    /// Events with output that are parsed, or were taken for such because others followed.
    private var outputCount = 0
    var usage = UsageFields()
    /// The payload of the first error.
    var error: [UInt8]?
    var errorBody: ErrorBody?

    /// Whether only the last events of a stream say more than that it goes on.
    ///
    /// So it is in OpenAI's chats and completions: finish reason, then usage, then the end, or an error. Between
    /// the first output and the end an event is then kept until the next two have come, and parsed only if they
    /// do not.
    let tellsAllAtTheEnd: Bool
    /// The newest two events, not parsed yet; the older one first.
    private var latest: ([UInt8], [UInt8]) = ([], [])

    /// Events with output; of those that are not parsed yet each is taken for one.
    var outputEventCount: Int {
        outputCount + (latest.0.isEmpty ? 0 : 1) + (latest.1.isEmpty ? 0 : 1)
    }

    private static let maxErrorBytes = 4096
    /// Longer events are parsed at once rather than copied.
    private static let maxKeptBytes = 65_536

    init(tellsAllAtTheEnd: Bool) {
        self.tellsAllAtTheEnd = tellsAllAtTheEnd
    }

    /// Reads the payload of one `data` line.
    mutating func read(_ payload: UnsafeRawBufferPointer) {
        guard payload.first == Ascii.openBrace else {
            guard payload.starts(with: "[DONE]".utf8) else { return }
            hasEndEvent = true
            return readLatest()
        }
        if tellsAllAtTheEnd, sawDelta, payload.count <= Self.maxKeptBytes {
            keep(payload)
        } else {
            parse(payload)
        }
    }

    /// Parses the events that were kept.
    mutating func readLatest() {
        let kept = latest
        latest = ([], [])
        for payload in [kept.0, kept.1] where !payload.isEmpty { payload.withUnsafeBytes { parse($0) } }
    }

    private mutating func keep(_ payload: UnsafeRawBufferPointer) {
        swap(&latest.0, &latest.1)
        if !latest.1.isEmpty { outputCount += 1 }
        latest.1.removeAll(keepingCapacity: true)
        latest.1.append(contentsOf: payload)
    }

    private mutating func parse(_ payload: UnsafeRawBufferPointer) {
        guard var scan = StreamEventScan(payload), scan.run() else { return }
        if let span = scan.usage, var json = JSONScanner(payload, from: span.lowerBound) {
            usage.read(&json, in: payload)
        }
        if scan.hasOutput {
            sawDelta = true
            outputCount += 1
        }
        if scan.hasFinish { hasFinish = true }
        if scan.isEnd { hasEndEvent = true }
        guard scan.hasError, error == nil else { return }
        error = Array(payload.prefix(Self.maxErrorBytes))
        errorBody = ErrorBody.reading(payload)
    }
}
