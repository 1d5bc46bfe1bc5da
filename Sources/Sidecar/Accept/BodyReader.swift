internal import Wire

/// Follows the body of a request to its end.
enum BodyReader {
    case length(remaining: Int)
    case chunked(ChunkScanner)

    enum Progress: Equatable {
        case more
        case ended
        case malformed
    }

    init?(_ framing: BodyFraming) {
        switch framing {
        case .none, .untilClose: return nil
        case .length(let count): self = .length(remaining: count)
        case .chunked: self = .chunked(ChunkScanner())
        }
    }

    /// Reads on.
    ///
    /// - Returns: how many of the bytes belong to the body, framing included, and whether it ended.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer,
        onData: (UnsafeRawBufferPointer) -> Void
    ) -> (byteCount: Int, progress: Progress) {
        switch self {
        case .length(let remaining):
            let count = min(remaining, bytes.count)
            onData(bytes.slice(0..<count))
            self = .length(remaining: remaining - count)
            return (count, count == remaining ? .ended : .more)
        case .chunked(var scanner):
            let progress = scanner.feed(bytes, onData: onData)
            self = .chunked(scanner)
            switch progress {
            case .incomplete: return (bytes.count, .more)
            case .malformed: return (0, .malformed)
            case .complete(let end): return (end, .ended)
            }
        }
    }
}
