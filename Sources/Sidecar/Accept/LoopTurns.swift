internal import NIOCore

/// The turns of one event loop, as far as large bodies move in them.
///
/// All of its state belongs to that loop, so it needs no lock and is not `Sendable`.
final class LoopTurns {
    /// What a body moves in one turn.
    static let pieceBytes = 131_072
    /// Less than this in one turn is no burden to the others.
    static let lightBytes = 16_384
    /// Together half a megabyte, read or written: a few tenths of a millisecond.
    private static let places = 4
    /// For a turn in which nobody reads: those that were to read had nothing more, or all others write.
    private static let longestTurn = TimeAmount.microseconds(250)

    private let eventLoop: NIOIsolatedEventLoop
    private var turns = LargeBodyTurns<() -> Void>(places: places)
    private var isEndNear = false
    private var isMoving = false
    private var isTimed = false
    private var hasEndedSinceTimed = false

    /// - Parameter eventLoop: the one that this is called on.
    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop.assumeIsolated()
    }

    /// Asks whether a body of which a part was read may be read in the next turn too; if not, it has to wait.
    func goesOn() -> Bool {
        if !isEndNear {
            isEndNear = true
            // Runs once all connections that are ready now have been served.
            eventLoop.execute {
                self.isEndNear = false
                self.end()
            }
        }
        return turns.goesOn()
    }

    /// Waits for a turn.
    ///
    /// - Parameter move: reads or writes ``pieceBytes`` at most.
    func wait(_ move: @escaping () -> Void) {
        turns.wait(move)
        time()
    }

    private func end() {
        hasEndedSinceTimed = true
        isMoving = true
        for move in turns.turnEnded() { move() }
        isMoving = false
        time()
    }

    /// Sees to it that there is a next turn, after the loop has looked at what is ready: timed from the end of the
    /// moves, for what is due when they end would still be of this turn.
    private func time() {
        guard !isTimed, !isMoving, turns.isAnyoneWaiting else { return }
        isTimed = true
        hasEndedSinceTimed = false
        eventLoop.scheduleTask(in: Self.longestTurn) { self.timeIsOver() }
    }

    private func timeIsOver() {
        isTimed = false
        if hasEndedSinceTimed { time() } else { end() }
    }
}

@available(*, unavailable)
extension LoopTurns: Sendable {}
