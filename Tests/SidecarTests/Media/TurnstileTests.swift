import Synchronization
import Testing

@testable import Sidecar

@Suite("A turnstile lets only so many through")
struct TurnstileTests {
    @Test("never more than there are places, and everybody in the end", arguments: [1, 2, 5])
    func bounded(places: Int) async {
        let turnstile = Turnstile(places: places)
        let crowd = Crowd()

        await withTaskGroup { group in
            for _ in 0..<200 {
                group.addTask {
                    guard (try? await turnstile.enter()) != nil else { return }
                    crowd.inside.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                    await Task.yield()
                    crowd.inside.withLock { $0.now -= 1 }
                    turnstile.leave()
                }
            }
        }

        #expect(crowd.inside.withLock { $0.now } == 0)
        #expect(crowd.inside.withLock { $0.most } <= places)
    }

    @Test("one who gives up waiting takes no place")
    func cancelled() async throws {
        let turnstile = Turnstile(places: 1)
        try await turnstile.enter()
        let waiting = (0..<50).map { _ in Task { try await turnstile.enter() } }
        await Task.yield()
        for task in waiting { task.cancel() }
        for task in waiting { await #expect(throws: CancellationError.self) { try await task.value } }

        turnstile.leave()
        try await turnstile.enter()
        turnstile.leave()
    }
}

private final class Crowd: Sendable {
    let inside = Mutex((now: 0, most: 0))
}
