import NIOCore
import NIOEmbedded
import Testing

@testable import Sidecar

@Suite("An event loop divides its turns")
struct LoopTurnsTests {
    private let loop = EmbeddedEventLoop()
    private let turns: LoopTurns

    init() {
        turns = LoopTurns(eventLoop: loop)
    }

    @Test("the turn of those that wait comes when all that is ready was served")
    func afterTheOthers() {
        var moved = 0
        for _ in 0..<4 { #expect(turns.goesOn()) }
        #expect(!turns.goesOn())
        turns.wait { moved += 1 }
        loop.run()
        #expect(moved == 0, "four go on: the next turn is full")

        #expect(!turns.goesOn())
        loop.run()
        #expect(moved == 1)
    }

    @Test("a turn in which nobody reads ends too")
    func timed() {
        var moved = 0
        for _ in 0..<9 { turns.wait { moved += 1 } }
        loop.run()
        #expect(moved == 0)
        for expected in [4, 8, 9, 9] {
            loop.advanceTime(by: .microseconds(250))
            #expect(moved == expected)
        }
    }

    @Test("who moves and waits again does so for another turn")
    func again() {
        let writer = Writer(turns: turns)
        writer.move()
        for expected in 2...5 {
            loop.advanceTime(by: .microseconds(250))
            #expect(writer.moves == expected)
        }
    }

    private final class Writer {
        let turns: LoopTurns
        var moves = 0

        init(turns: LoopTurns) {
            self.turns = turns
        }

        func move() {
            moves += 1
            turns.wait { self.move() }
        }
    }
}
