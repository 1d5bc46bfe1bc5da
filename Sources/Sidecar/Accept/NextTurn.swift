internal import NIOCore

/// Work that is left for the next turn of an event loop, so that what is ready meanwhile is served before it.
///
/// All of its state belongs to that loop, so it needs no lock and is not `Sendable`.
final class NextTurn {
    /// A loop runs what is due, also what has become so meanwhile, before it looks again at what is ready.
    private static let delay = TimeAmount.microseconds(20)

    private let eventLoop: NIOIsolatedEventLoop
    private var waiting: [() -> Void] = []

    /// - Parameter eventLoop: the one that this is called on.
    init(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop.assumeIsolated()
    }

    /// Does something in the next turn, once all that was left for it before is done.
    func run(_ work: @escaping () -> Void) {
        waiting.append(work)
        if waiting.count == 1 { schedule() }
    }

    private func schedule() {
        eventLoop.scheduleTask(in: Self.delay) { self.begin() }
    }

    private func begin() {
        let due = waiting
        for work in due { work() }
        // They are waiting until all are done, so that what they leave is not scheduled before: it would be due by then.
        waiting.removeFirst(due.count)
        if !waiting.isEmpty { schedule() }
    }
}

@available(*, unavailable)
extension NextTurn: Sendable {}
