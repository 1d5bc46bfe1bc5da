internal import NIOCore

/// Divides the turns of an event loop among the large bodies that move on it.
///
/// A turn serves every connection that is ready, and the loop's other clients wait meanwhile. So only a few large
/// bodies move in one turn; the others wait for theirs in the order in which they came. Nobody holds a place: a turn
/// is given, and who has nothing to move in it takes nothing from the next one.
///
/// Pure: ``LoopTurns`` says when a turn is over and carries out what follows.
struct LargeBodyTurns<Waiter> {
    /// How many bodies move in one turn.
    private let places: Int
    /// Those that go on in the next turn without having waited.
    private var goingOn = 0
    private var waiting = CircularBuffer<Waiter>()

    init(places: Int) {
        self.places = places
    }

    var isAnyoneWaiting: Bool { !waiting.isEmpty }

    /// Asks whether a body that has moved may move in the next turn too; if not, it has to wait.
    mutating func goesOn() -> Bool {
        guard waiting.isEmpty, goingOn < places else { return false }
        goingOn += 1
        return true
    }

    mutating func wait(_ waiter: Waiter) {
        waiting.append(waiter)
    }

    /// - Returns: those whose turn is next.
    mutating func turnEnded() -> [Waiter] {
        let count = min(places - goingOn, waiting.count)
        goingOn = 0
        defer { waiting.removeFirst(count) }
        return Array(waiting.prefix(count))
    }
}
