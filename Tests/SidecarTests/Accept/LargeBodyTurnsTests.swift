import Testing

@testable import Sidecar

@Suite("Large bodies take turns")
struct LargeBodyTurnsTests {
    private var turns = LargeBodyTurns<Int>(places: 3)

    /// Ends a turn after so many bodies have moved in it.
    ///
    /// - Returns: how many of them go on without waiting, and whose turn is next beside them.
    private mutating func turn(moving count: Int) -> (goingOn: Int, next: [Int]) {
        var goingOn = 0
        for _ in 0..<count where turns.goesOn() { goingOn += 1 }
        return (goingOn, turns.turnEnded())
    }

    @Test("a few go on without waiting, in every turn")
    mutating func few() {
        for _ in 0..<4 {
            let ended = turn(moving: 3)
            #expect(ended == (3, []))
        }
        let crowded = turn(moving: 5)
        #expect(crowded == (3, []), "the others have to wait")
    }

    @Test("who waits comes before those who would go on")
    mutating func waiting() {
        turns.wait(7)
        let ended = turn(moving: 1)
        #expect(ended == (0, [7]))
        #expect(!turns.isAnyoneWaiting)
    }

    @Test("those who go on take their places in the next turn")
    mutating func places() {
        for _ in 0..<3 { _ = turns.goesOn() }
        turns.wait(8)
        let full = turns.turnEnded()
        #expect(full == [])
        #expect(turns.isAnyoneWaiting)
        let free = turns.turnEnded()
        #expect(free == [8], "nobody moved, so nobody has a place")
    }

    @Test("who waits has its turn in the order of coming, so many at a time")
    mutating func order() {
        for body in 0..<7 { turns.wait(body) }
        let first = turn(moving: 0)
        #expect(first.next == [0, 1, 2])
        let second = turn(moving: 0)
        #expect(second.next == [3, 4, 5], "the three before did not move, and hold no place")
        let third = turn(moving: 3)
        #expect(third.next == [6])
    }

    @Test(
        "bodies that always have bytes move equally often, and few in one turn",
        arguments: [1, 3, 4, 12, 100]
    )
    func fairness(bodyCount: Int) {
        var turns = LargeBodyTurns<Int>(places: 3)
        var moves = Array(repeating: 0, count: bodyCount)
        var moving = Array(0..<bodyCount)
        for turn in 0..<300 {
            #expect(turn == 0 || moving.count <= 3)
            var next: [Int] = []
            for body in moving {
                moves[body] += 1
                if turns.goesOn() { next.append(body) } else { turns.wait(body) }
            }
            moving = next + turns.turnEnded()
        }
        #expect((moves.max() ?? 0) - (moves.min() ?? 0) <= 2)
        #expect(moves.reduce(0, +) >= 299 * min(3, bodyCount))
    }
}
