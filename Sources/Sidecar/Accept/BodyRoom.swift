internal import NIOCore
internal import Synchronization

/// Gives large bodies their room in memory before they are read, in the order in which they came.
///
/// Clients that took what is left byte by byte could all stop half way, each waiting for the others to be done.
final class BodyRoom: Sendable {
    /// Smaller bodies are read as they come; for them there is a quarter of the memory.
    static let leastBytes = 1 << 20

    /// A body's share; belongs to the event loop of its client.
    final class Claim {
        fileprivate let number: UInt64
        fileprivate let byteCount: Int
        let since: NIODeadline
        fileprivate(set) var isGranted: Bool

        fileprivate init(number: UInt64, byteCount: Int, isGranted: Bool) {
            self.number = number
            self.byteCount = byteCount
            self.isGranted = isGranted
            since = .now()
        }
    }

    /// A share that was waited for beside the event loops.
    struct Grant: Sendable {
        fileprivate let number: UInt64
        fileprivate let byteCount: Int
    }

    private struct Waiting {
        let number: UInt64
        let byteCount: Int
        let limit: Int
        let grant: @Sendable () -> Void
    }

    private struct State {
        var used = 0
        var count: UInt64 = 0
        var waiting: [Waiting] = []
        var latestGrant = NIODeadline.now()

        /// Those that have room now; a body that is larger than all the room gets it when it is empty.
        mutating func grant() -> [Waiting] {
            var granted = 0
            while granted < waiting.count,
                used == 0 || used + waiting[granted].byteCount <= waiting[granted].limit
            {
                used += waiting[granted].byteCount
                granted += 1
            }
            defer { waiting.removeFirst(granted) }
            if granted > 0 { latestGrant = .now() }
            return Array(waiting[..<granted])
        }
    }

    private let state = Mutex(State())

    /// When somebody last got room.
    var latestGrant: NIODeadline { state.withLock { $0.latestGrant } }

    /// Asks for room.
    ///
    /// - Parameters:
    ///   - limit: what all bodies that are held may have together.
    ///   - granted: called on the event loop once there is room, unless there is at once.
    func claim(
        _ byteCount: Int,
        of limit: Int,
        on eventLoop: any EventLoop,
        granted: @escaping () -> Void
    ) -> Claim {
        let number = nextNumber()
        let claim = Claim(number: number, byteCount: byteCount.roundedUpToPowerOfTwo, isGranted: false)
        let waiting = NIOLoopBound((claim: claim, granted: granted), eventLoop: eventLoop)
        claim.isGranted = enqueue(number, claim.byteCount, limit) {
            eventLoop.execute {
                waiting.value.claim.isGranted = true
                waiting.value.granted()
            }
        }
        return claim
    }

    /// Waits for room beside the event loops.
    ///
    /// - Returns: what is to be released.
    func grant(_ byteCount: Int, of limit: Int) async -> Grant {
        let grant = Grant(number: nextNumber(), byteCount: byteCount.roundedUpToPowerOfTwo)
        await withCheckedContinuation { continuation in
            let isGranted = enqueue(grant.number, grant.byteCount, limit) { continuation.resume() }
            if isGranted { continuation.resume() }
        }
        return grant
    }

    private func nextNumber() -> UInt64 {
        state.withLock { state in
            state.count += 1
            return state.count
        }
    }

    /// - Returns: whether there is room at once; then nobody is called.
    private func enqueue(
        _ number: UInt64,
        _ byteCount: Int,
        _ limit: Int,
        _ grant: @escaping @Sendable () -> Void
    ) -> Bool {
        let entry = Waiting(number: number, byteCount: byteCount, limit: limit / 4 * 3, grant: grant)
        let first = state.withLock { state in
            state.waiting.append(entry)
            return state.grant()
        }
        for entry in first where entry.number != number { entry.grant() }
        return first.contains { $0.number == number }
    }

    /// Gives the room back, or the place among those that wait.
    func release(_ claim: Claim) {
        release(claim.number, claim.byteCount)
    }

    func release(_ grant: Grant) {
        release(grant.number, grant.byteCount)
    }

    private func release(_ number: UInt64, _ byteCount: Int) {
        let next = state.withLock { state in
            if let place = state.waiting.firstIndex(where: { $0.number == number }) {
                state.waiting.remove(at: place)
            } else {
                state.used -= byteCount
            }
            return state.grant()
        }
        for entry in next { entry.grant() }
    }
}

extension Int {
    /// What a buffer takes for so many bytes.
    var roundedUpToPowerOfTwo: Int {
        self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
    }
}

@available(*, unavailable)
extension BodyRoom.Claim: Sendable {}
