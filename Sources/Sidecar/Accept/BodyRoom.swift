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
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        let claim = Claim(number: number, byteCount: byteCount.roundedUpToPowerOfTwo, isGranted: false)
        let waiting = NIOLoopBound((claim: claim, granted: granted), eventLoop: eventLoop)
        let entry = Waiting(number: number, byteCount: claim.byteCount, limit: limit / 4 * 3) {
            eventLoop.execute {
                waiting.value.claim.isGranted = true
                waiting.value.granted()
            }
        }
        let first = state.withLock { state in
            state.waiting.append(entry)
            return state.grant()
        }
        for entry in first where entry.number != number { entry.grant() }
        claim.isGranted = first.contains { $0.number == number }
        return claim
    }

    /// Gives the room back, or the place among those that wait.
    func release(_ claim: Claim) {
        let next = state.withLock { state in
            if let place = state.waiting.firstIndex(where: { $0.number == claim.number }) {
                state.waiting.remove(at: place)
            } else {
                state.used -= claim.byteCount
            }
            return state.grant()
        }
        for entry in next { entry.grant() }
    }
}

extension Int {
    /// What a buffer takes for so many bytes.
    fileprivate var roundedUpToPowerOfTwo: Int {
        self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
    }
}

@available(*, unavailable)
extension BodyRoom.Claim: Sendable {}
