internal import Synchronization

/// Lets so many through at one time, the others in the order in which they came.
final class Turnstile: Sendable {
    private struct Waiter {
        let number: Int
        let turn: AsyncStream<Void>.Continuation
    }

    private struct State {
        var free: Int
        var waiters: [Waiter] = []
        var waiterCount = 0
    }

    private let state: Mutex<State>

    init(places: Int) {
        state = Mutex(State(free: places))
    }

    /// Waits for a place; ``leave()`` must follow.
    ///
    /// - Throws: `CancellationError` when the task is cancelled meanwhile; then there is no place to leave.
    func enter() async throws(CancellationError) {
        let (turns, turn) = AsyncStream<Void>.makeStream()
        let number = state.withLock { state -> Int? in
            guard state.free == 0 else {
                state.free -= 1
                return nil
            }
            state.waiterCount += 1
            state.waiters.append(Waiter(number: state.waiterCount, turn: turn))
            return state.waiterCount
        }
        guard let number else { return }
        for await _ in turns { return }
        let wasWaiting = state.withLock { state in
            guard let place = state.waiters.firstIndex(where: { $0.number == number }) else { return false }
            state.waiters.remove(at: place)
            return true
        }
        // The place may have come in the moment of the cancellation.
        if !wasWaiting { leave() }
        throw CancellationError()
    }

    /// Gives the place to the next one.
    func leave() {
        state.withLock { state in
            guard !state.waiters.isEmpty else {
                state.free += 1
                return
            }
            state.waiters.removeFirst().turn.yield()
        }
    }
}
