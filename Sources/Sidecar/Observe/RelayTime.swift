internal import NIOCore

/// The time that passing on an answer takes, piece by piece.
///
/// Reading the clock for every piece of a long stream would cost a hundredth of passing it on: so the first
/// sixteen reads are timed, and of those that follow every sixteenth, which stands for all of them.
struct RelayTime {
    private static let step = 16

    private enum State {
        case idle
        case timed(since: NIODeadline, weight: Int64)
        case untimed
    }

    private(set) var nanoseconds: Int64 = 0
    private var state = State.idle
    private var readCount = 0

    /// Bytes of the answer are there; of no effect while others are being passed on.
    mutating func begin() {
        guard case .idle = state else { return }
        if readCount < Self.step {
            state = .timed(since: .now(), weight: 1)
        } else if readCount.isMultiple(of: Self.step) {
            state = .timed(since: .now(), weight: Int64(Self.step))
        } else {
            state = .untimed
        }
        readCount += 1
    }

    /// They are handed on, if there were any.
    mutating func end() {
        if case .timed(let since, let weight) = state {
            nanoseconds += (NIODeadline.now() - since).nanoseconds * weight
        }
        state = .idle
    }
}
