/// How the bodies of many clients share the turns of their event loop.
extension ClientHandler {
    /// Whether it may read on in the next turn; if not, it reads when its own has come.
    ///
    /// A body that comes slowly does not wait: what it takes of a turn is not worth the wait.
    func readsInNextTurn() -> Bool {
        guard case .body = phase, bytesOfTurn >= LoopTurns.lightBytes else { return true }
        bytesOfTurn = 0
        if loop.turns.goesOn() { return true }
        waitsForTurn = true
        loop.turns.wait { [weak self] in
            self?.waitsForTurn = false
            self?.resumeReading()
        }
        return false
    }
}
