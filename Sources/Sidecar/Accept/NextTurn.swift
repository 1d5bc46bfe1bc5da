internal import NIOCore

/// Work that is left for the next turn of an event loop, so that what is ready meanwhile is served before it.
///
/// All of its state belongs to that loop, so it needs no lock and is not `Sendable`.
final class NextTurn {
    /// A loop runs what is due, also what has become so meanwhile, before it looks again at what is ready.
    private static let delay = TimeAmount.microseconds(20)

    private let eventLoop: NIOIsolatedEventLoop
    private var waiting: [() -> Void] = []
    private var isRunning = false

    /// - Parameter eventLoop: the one that this is called on.
    init(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop.assumeIsolated()
    }

    /// Does something in the next turn, once all that was left for it before is done.
    func run(_ work: @escaping () -> Void) {
        waiting.append(work)
        if waiting.count == 1, !isRunning { schedule() }
    }

    private func schedule() {
        eventLoop.scheduleTask(in: Self.delay) { self.begin() }
    }

    private func begin() {
        isRunning = true
        let due = waiting
        waiting = []
        for work in due { work() }
        isRunning = false
        // Not before all of them are done: what they leave would be due by then.
        if !waiting.isEmpty { schedule() }
    }
}

@available(*, unavailable)
extension NextTurn: Sendable {}
