/// What the events of a streamed answer have come to.
struct StreamState: Sendable {
    var hasEndEvent = false
    var hasFinish = false
    var deltas = 0
    var usage = UsageFields()
    /// The payload of the first error.
    var error: [UInt8]?
    var errorBody: ErrorBody?

    private static let maxErrorBytes = 4096

    /// Reads the payload of one `data` line.
    mutating func read(_ payload: UnsafeRawBufferPointer) {
        guard payload.first == Ascii.openBrace else {
            if payload.starts(with: "[DONE]".utf8) { hasEndEvent = true }
            return
        }
        guard var scan = StreamEventScan(payload), scan.run() else { return }
        if let span = scan.usage, var json = JSONScanner(payload, from: span.lowerBound) {
            usage.read(&json, in: payload)
        }
        if scan.hasOutput { deltas += 1 }
        if scan.hasFinish { hasFinish = true }
        if scan.isEnd { hasEndEvent = true }
        guard scan.hasError, error == nil else { return }
        error = Array(payload.prefix(Self.maxErrorBytes))
        errorBody = ErrorBody.reading(payload)
    }
}
