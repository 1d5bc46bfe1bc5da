internal import Wire

/// One HTTP/1.1 response on an upstream connection, as it arrives.
///
/// Pure: it never touches a channel. Bytes go in, what they mean comes out; the handler relays them.
///
///     idle --sent--> head --final head--> body --last byte--> idle
///                     |  \--101--> tunnel
///                     \--interim head--> head
struct UpstreamState {
    enum Body {
        case length(remaining: Int)
        case chunked(ChunkScanner)
        case untilClose
    }

    enum Phase {
        case idle
        case head(HeadFinder)
        case body(Body)
        case tunnel
    }

    /// What the next bytes of a head were.
    enum HeadProgress {
        case incomplete
        /// An interim response (RFC 9110, section 15.2) of so many bytes, to be skipped.
        case interim(byteCount: Int)
        case final(ResponseHead)
        case malformed
    }

    /// How far the body got with the bytes just given.
    enum BodyProgress: Equatable {
        case more
        /// The body ended before this offset; what follows belongs to nobody.
        case ended(at: Int)
        case malformed
    }

    private(set) var phase = Phase.idle
    /// Whether the connection can carry another request after this response.
    private(set) var keepsAlive = true
    /// Whether any byte of the response has arrived.
    private(set) var hasAnswered = false
    private var answersHEAD = false
    private var answersUpgrade = false
    /// Where the newest complete chunk ends in the body bytes given last; 0 when none ends there.
    private(set) var lastChunkEnd = 0
    private let maxHeadBytes = 256 * 1024

    /// A request was written.
    mutating func sent(isHEAD: Bool, isUpgrade: Bool) {
        phase = .head(HeadFinder())
        answersHEAD = isHEAD
        answersUpgrade = isUpgrade
        hasAnswered = false
        lastChunkEnd = 0
    }

    /// More bytes of the head are there.
    ///
    /// - Parameter bytes: all bytes of the head so far.
    mutating func received(head bytes: UnsafeRawBufferPointer) -> HeadProgress {
        guard case .head(var finder) = phase else { return .malformed }
        hasAnswered = true
        switch finder.advance(over: bytes) {
        case .incomplete:
            phase = .head(finder)
            return bytes.count > maxHeadBytes ? .malformed : .incomplete
        case .bareLineFeed:
            return .malformed
        case .complete(let end):
            return finish(head: bytes.slice(0..<end))
        }
    }

    private mutating func finish(head bytes: UnsafeRawBufferPointer) -> HeadProgress {
        guard let head = try? ResponseHead(reading: bytes, toHEAD: answersHEAD) else { return .malformed }
        if head.isInterim {
            phase = .head(HeadFinder())
            return .interim(byteCount: head.byteCount)
        }
        keepsAlive = head.keepsAlive
        if head.status == 101 {
            // Nobody asked for another protocol (RFC 9110, section 15.2.2).
            guard answersUpgrade else { return .malformed }
            phase = .tunnel
            return .final(head)
        }
        switch head.framing {
        case .none: phase = .idle
        case .length(let count): phase = .body(.length(remaining: count))
        case .chunked: phase = .body(.chunked(ChunkScanner()))
        case .untilClose: phase = .body(.untilClose)
        }
        return .final(head)
    }

    /// More bytes of the body are there.
    ///
    /// - Parameter onData: called with each run of payload, framing taken off.
    mutating func received(
        body bytes: UnsafeRawBufferPointer,
        onData: (UnsafeRawBufferPointer) -> Void
    ) -> BodyProgress {
        guard case .body(let body) = phase else { return .malformed }
        switch body {
        case .length(let remaining):
            return received(bytes, remaining: remaining, onData: onData)
        case .untilClose:
            onData(bytes)
            return .more
        case .chunked(var scanner):
            let progress = scanner.feed(bytes, onData: onData)
            lastChunkEnd = scanner.lastChunkEnd
            phase = .body(.chunked(scanner))
            switch progress {
            case .incomplete: return .more
            case .malformed: return .malformed
            case .complete(let end):
                phase = .idle
                return .ended(at: end)
            }
        }
    }

    private mutating func received(
        _ bytes: UnsafeRawBufferPointer,
        remaining: Int,
        onData: (UnsafeRawBufferPointer) -> Void
    ) -> BodyProgress {
        let count = min(remaining, bytes.count)
        onData(bytes.slice(0..<count))
        guard count == remaining else {
            phase = .body(.length(remaining: remaining - count))
            return .more
        }
        phase = .idle
        return .ended(at: count)
    }

    /// The connection ended.
    ///
    /// - Returns: whether that was the proper end of a response that lasts until the connection closes.
    mutating func closed() -> Bool {
        guard case .body(.untilClose) = phase else { return false }
        phase = .idle
        return true
    }
}
