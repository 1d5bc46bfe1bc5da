import NIOCore
import NIOEmbedded
import Testing

@testable import Sidecar

@Suite("Work is left for the next turn of an event loop")
struct NextTurnTests {
    private let loop = EmbeddedEventLoop()
    private let nextTurn: NextTurn
    private static let turn = TimeAmount.microseconds(20)

    init() {
        nextTurn = NextTurn(on: loop)
    }

    @Test("in the order in which it was left, all of it in one turn")
    func order() {
        var done: [Int] = []
        for number in 0..<5 { nextTurn.run { done.append(number) } }
        loop.run()
        #expect(done.isEmpty, "the loop has not looked at what is ready")
        loop.advanceTime(by: Self.turn)
        #expect(done == [0, 1, 2, 3, 4])
    }

    @Test("what it leaves itself is of the turn after it", arguments: [1, 2, 7])
    func again(workers: Int) {
        var steps = Array(repeating: 0, count: workers)
        func step(_ worker: Int) {
            steps[worker] += 1
            nextTurn.run { step(worker) }
        }
        for worker in 0..<workers { nextTurn.run { step(worker) } }
        for turns in 1...6 {
            loop.advanceTime(by: Self.turn)
            #expect(steps == Array(repeating: turns, count: workers))
        }
    }
}
